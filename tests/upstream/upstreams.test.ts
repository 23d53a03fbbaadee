import type { HealthCheck, PoolConfig } from "../../lib/config/config.ts";
import { Upstreams, type UpstreamsOptions } from "../../lib/upstream/upstreams.ts";
import { assert, assertEquals } from "../assert.ts";
import { openThreads } from "../shared/fixture.ts";
import { pause, until } from "../wait.ts";
import { all } from "../pools.ts";

const CHECK: HealthCheck = { interval: 5, timeout: 100, fall: 2, rise: 2 };

function poolConfig(ports: readonly number[], changes: Partial<PoolConfig> = {}): PoolConfig {
  return {
    strategy: "round_robin",
    servers: ports.map((port) => ({ host: "n", port, weight: 1, backup: false })),
    max_fails: 1,
    fail_duration: 60_000,
    slow_start: 0,
    max_connections: 0,
    ...changes,
  };
}

/** Servers whose checks fail while their port is in `down`. */
function upstreamsWith(options: Pick<UpstreamsOptions, "countOf"> = {}) {
  const changes: string[] = [];
  const down = new Set<number>();
  let checks = 0;
  const upstreams = new Upstreams({
    ...options,
    onChange: ({ key }, state) => void changes.push(`${key} ${state}`),
  });
  const use = (configs: Record<string, PoolConfig>) => {
    const pools = upstreams.build(configs);
    upstreams.use(pools, ({ port }) => {
      checks += 1;
      return down.has(port) ? Promise.reject(new Error("refused")) : Promise.resolve();
    });
    return {
      tried: (pool: string) => all(pools.get(pool)?.candidates("1")).map(({ port }) => port),
      server: (pool: string, port: number) => {
        const server = pools.get(pool)?.servers.find((server) => server.port === port);
        assert(server);
        return server;
      },
    };
  };
  return {
    upstreams,
    changes,
    down,
    use,
    checks: () => checks,
    [Symbol.dispose]: () => upstreams[Symbol.dispose](),
  };
}

Deno.test("checks take a server out of its pool and bring it back", async () => {
  using test = upstreamsWith();
  const { tried } = test.use({ eu: poolConfig([1, 2], { health_check: CHECK }) });
  test.down.add(1);
  await until(() => test.changes.length === 1, "the server goes down");
  assertEquals(tried("eu"), [2]);
  test.down.delete(1);
  await until(() => test.changes.length === 2, "the server comes back");
  assertEquals(tried("eu").length, 2);
  assertEquals(test.changes, ["n:1 down", "n:1 up"]);
});

Deno.test("failed dials eject a server, and its return is reported when the ejection is over", async () => {
  using test = upstreamsWith();
  const { tried, server } = test.use({ eu: poolConfig([1, 2], { fail_duration: 30 }) });
  server("eu", 1).record.dialed(new Error("refused"));
  assertEquals(tried("eu"), [2]);
  await until(() => test.changes.length === 2, "the ejection ends");
  assertEquals(test.changes, ["n:1 ejected", "n:1 up"]);
  assertEquals(tried("eu").length, 2);
});

Deno.test("connections, health and strategy of an unchanged server survive a reload", async () => {
  using test = upstreamsWith();
  const config = poolConfig([1, 2, 3], { health_check: CHECK });
  const before = test.use({ eu: config });
  before.server("eu", 3).acquire();
  test.down.add(1);
  await until(() => test.changes.length === 1, "the server goes down");
  const [first] = before.tried("eu");
  const after = test.use({ eu: { ...config, servers: [...config.servers] }, us: poolConfig([1]) });
  assertEquals(after.server("eu", 1).state, "down");
  assertEquals(after.server("eu", 3).active, 1);
  assertEquals(after.server("us", 1).state, "up", "the same address in another pool is another server");
  assert(first !== undefined && after.tried("eu").length === 2);
});

Deno.test("threads pick the server with the fewest connections over all threads, also after a reload", () => {
  const { one, other } = openThreads(2);
  const threads = [one, other].map((thread) => upstreamsWith({ countOf: (key) => thread.ofServer(key) }));
  const config = poolConfig([1, 2, 3, 4], { strategy: "least_connections", max_connections: 3 });
  const open = () => {
    const pools = threads.map(({ use }) => use({ eu: config }));
    for (let count = 0; count < 6; count++) {
      const pool = pools[count % 2];
      assert(pool?.server("eu", pool.tried("eu")[0] ?? 0).acquire());
    }
    return pools;
  };
  open();
  for (const pool of open()) {
    for (const port of [1, 2, 3, 4]) {
      assertEquals([pool.server("eu", port).active, pool.server("eu", port).acquire()], [3, undefined]);
    }
  }
});

Deno.test("unchanged checks continue after a reload; those of removed servers end", async () => {
  using test = upstreamsWith();
  const slow = { ...CHECK, interval: 60_000 };
  test.use({ eu: poolConfig([1], { health_check: slow }) });
  for (let reload = 0; reload < 100; reload++) test.use({ eu: poolConfig([1], { health_check: slow }) });
  test.use({ eu: poolConfig([1], { health_check: CHECK }) });
  await until(() => test.checks() > 2, "checks with the new interval");
  test.use({});
  await pause(20);
  const last = test.checks();
  await pause(50);
  assertEquals(test.checks(), last);
  assertEquals([...test.upstreams.records()], []);
});

Deno.test("a server that was down counts as up once it is no longer checked", async () => {
  using test = upstreamsWith();
  test.use({ eu: poolConfig([1], { health_check: CHECK }) });
  test.down.add(1);
  await until(() => test.changes.length === 1, "the server goes down");
  assertEquals(test.use({ eu: poolConfig([1]) }).server("eu", 1).state, "up");
});

Deno.test("a removed server is remembered as long as it has connections", () => {
  using test = upstreamsWith();
  const lease = test.use({ eu: poolConfig([1]) }).server("eu", 1).acquire();
  test.use({});
  assertEquals(test.use({ eu: poolConfig([1]) }).server("eu", 1).active, 1);
  lease?.[Symbol.dispose]();
  assertEquals(test.use({}).tried("eu"), []);
  assertEquals([...test.upstreams.records()], []);
});

Deno.test("connections to a server that routes name are counted together", () => {
  using test = upstreamsWith();
  const lease = () => test.upstreams.single({ host: "n", port: 1 }).candidates("1").next()?.acquire();
  const leases = [lease(), lease()];
  const counts = () => [...test.upstreams.records()].map(({ key, active }) => [key, active]);
  assertEquals(counts(), [["n:1", 2]]);
  for (const each of leases) each?.[Symbol.dispose]();
  assertEquals(counts(), [["n:1", 0]]);
});

Deno.test("of servers that routes name only a bounded number is remembered without connections", () => {
  using test = upstreamsWith();
  for (let port = 1; port <= 3000; port++) {
    test.upstreams.single({ host: "n", port }).candidates("1").next()?.acquire()?.[Symbol.dispose]();
  }
  assertEquals([...test.upstreams.records()].length, 1000);
});
