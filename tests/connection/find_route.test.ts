import { assert, assertEquals } from "../assert.ts";
import { identify, named, refused } from "../clients.ts";
import { type Changes, configTo, startBalancer } from "../fixture.ts";
import type { Observer } from "../../lib/observe/observer.ts";
import { poolOn } from "../pools.ts";
import { redisConfig, RedisServer, redisTest, sharedRedis } from "../redis.ts";
import { parsed } from "../tables.ts";
import { startEcho, startNamed } from "../upstreams.ts";
import { until } from "../wait.ts";

const UNKNOWN_ID = 4;
const UPSTREAM_UNAVAILABLE = 5;

const shared = sharedRedis();
let keys = 0;

/** A balancer with routes in a hash of its own, and the endings of its connections. */
function startRouted(changes: Changes, server = shared.get(), fields = "") {
  const key = `routes:${++keys}`;
  const redis = redisConfig(`url: "redis://${server.address}", key: "${key}"${fields}`);
  const ends: (string | undefined)[] = [];
  const closed: Observer["closed"] = (_, { detail }) => void ends.push(detail);
  const config = configTo(1, { routes: [], redis, timeouts: { connect: 20_000 }, ...changes });
  const started = startBalancer(config, { observers: [{ closed }] });
  return {
    ...started,
    config,
    ends,
    set: (routes: Readonly<Record<string, string>>) => server.set(routes, key),
    state: async () => (await started.balancer.engine.stats()).redis,
    /** The code of the refusal of a client with this ID. */
    async refusal(id: string): Promise<number> {
      using client = await started.connect();
      return await refused(client, id);
    },
  };
}

const to = (port: number) => ({ host: "127.0.0.1", port });

redisTest(
  "an ID is found in routes, in tables, in Redis, by globs, and by the default, in this order",
  async () => {
    await using file = startNamed("file");
    await using table = startNamed("table");
    await using redis = startNamed("redis");
    await using glob = startNamed("glob");
    await using other = startNamed("default");
    const { data: tableData } = parsed([`a1\t127.0.0.1\t${table.port}\na2\t127.0.0.1\t${table.port}\n`]);
    await using balancer = startRouted({
      routes: [{ match: "a*", ...to(glob.port) }, { id: "a1", ...to(file.port) }],
      default: to(other.port),
      tableData,
    });
    const address = `127.0.0.1:${redis.port}`;
    await balancer.set({ a1: address, a2: address, a3: address, b3: address });
    assertEquals(await named(balancer, "a1"), "file");
    assertEquals(await named(balancer, "a2"), "table");
    assertEquals(await named(balancer, "a3"), "redis");
    assertEquals(await named(balancer, "b3"), "redis");
    assertEquals(await named(balancer, "a4"), "glob");
    assertEquals(await named(balancer, "b4"), "default");
  },
);

redisTest("an ID that neither the file nor Redis has is refused with UNKNOWN_ID", async () => {
  await using balancer = startRouted({});
  assertEquals(await balancer.refusal("a"), UNKNOWN_ID);
});

redisTest("a value may name a pool; if the pool does not exist, the client is refused", async () => {
  await using eu = startNamed("eu");
  await using balancer = startRouted({ pools: { eu: poolOn([eu.port]) } });
  await balancer.set({ a: "eu", b: "us" });
  assertEquals(await named(balancer, "a"), "eu");
  assertEquals(await balancer.refusal("b"), UPSTREAM_UNAVAILABLE);
  const detail = 'found "us", which is neither a pool';
  await until(() => balancer.ends.some((end) => end?.includes(detail)), "its end tells why");
});

redisTest(
  "while Redis is unavailable no glob and no default matches an ID, and the log has the reason",
  async () => {
    await using server = await RedisServer.start();
    await using upstream = startNamed("upstream");
    await using fallback = startNamed("fallback");
    const all = { match: "*", ...to(fallback.port) };
    await using balancer = startRouted({ routes: [all, { id: "f", ...to(upstream.port) }] }, server);
    await balancer.set({ a: `127.0.0.1:${upstream.port}` });
    assertEquals(await named(balancer, "a"), "upstream");
    assertEquals(await named(balancer, "b"), "fallback");
    await server.kill();
    await until(() => balancer.balancer.engine.snapshot.redis?.state().up === false, "the loss is known");
    assertEquals(await named(balancer, "a"), "upstream");
    assertEquals(await named(balancer, "f"), "upstream");
    assertEquals(await balancer.refusal("b"), UPSTREAM_UNAVAILABLE);
    const detail = `redis: ${server.address}: it `;
    await until(() => balancer.ends.some((end) => end?.startsWith(detail)), "its end tells why");
    assertEquals((await balancer.state())?.lookups.stale, 1);
  },
);

redisTest("a look-up counts within timeouts.connect", async () => {
  await using server = await RedisServer.start();
  await using balancer = startRouted({ timeouts: { connect: 100 } }, server, ", timeout: 10s");
  assertEquals(await balancer.refusal("a"), UNKNOWN_ID);
  server.suspend();
  assertEquals(await balancer.refusal("b"), UPSTREAM_UNAVAILABLE);
  const detail = "redis: no answer within timeouts.connect, which is 100ms";
  await until(() => balancer.ends.includes(detail), "its end tells why");
});

redisTest("a connection that waits for Redis can be terminated", async () => {
  await using server = await RedisServer.start();
  await using balancer = startRouted({ timeouts: { connect: 20_000 } }, server, ", timeout: 20s");
  assertEquals(await balancer.refusal("a"), UNKNOWN_ID);
  server.suspend();
  const refusal = balancer.refusal("b").catch(() => "cut off");
  const { engine } = balancer.balancer;
  await until(() => engine.snapshot.redis?.isBusy === true, "it is looked up");
  assertEquals(await engine.terminate({ id: "b" }, { reason: "kicked", closedBy: "balancer" }), 1);
  assertEquals(await refusal, "cut off");
  await until(() => balancer.balancer.active === 0, "it has ended");
});

redisTest("a reload moves to another hash, and open connections lose nothing", async () => {
  await using one = startNamed("one");
  await using two = startNamed("two");
  await using balancer = startRouted({});
  await balancer.set({ a: `127.0.0.1:${one.port}` });
  assertEquals(await named(balancer, "a"), "one");
  const { redis } = balancer.config;
  assert(redis);
  const { balancer: { engine } } = balancer;
  const before = engine.snapshot.redis;
  await engine.reload(balancer.config);
  assertEquals(engine.snapshot.redis, before, "the same settings keep connection and cache");
  await shared.get().set({ a: `127.0.0.1:${two.port}` }, "routes:other");
  const under = Promise.all(Array.from({ length: 20 }, () => named(balancer, "a")));
  await engine.reload({ ...balancer.config, redis: { ...redis, key: "routes:other" } });
  assertEquals(await named(balancer, "a"), "two");
  for (const name of await under) assert(["one", "two"].includes(name), name);
  const { redis: _, ...without } = balancer.config;
  await engine.reload(without);
  assertEquals(await balancer.refusal("a"), UNKNOWN_ID);
  assertEquals(await balancer.state(), undefined);
});

redisTest("the time of a look-up ends even if the connection is refused afterwards", async () => {
  await using echo = startEcho();
  await using balancer = startRouted({ duplicate_id: "reject" });
  await balancer.set({ a: `127.0.0.1:${echo.port}`, b: `127.0.0.1:${echo.port}` });
  using _first = await balancer.connect();
  await identify(_first, "a");
  // the hash has changed: the ID is looked up again
  const { engine } = balancer.balancer;
  const invalidations = async () => (await balancer.state())?.invalidations ?? 0;
  const before = await invalidations();
  await balancer.set({ b: "n1.example.com:1" });
  await until(async () => await invalidations() > before, "the change was heard of");
  assertEquals(await balancer.refusal("a"), 6);
  assertEquals(engine.snapshot.connectDeadlines.size, 0);
});
