/** Servers of a pool that are killed and restarted, or that fall silent, while clients come and go. */

import type { PoolConfig } from "../../lib/config/config.ts";
import type { Observer } from "../../lib/observe/observer.ts";
import { assert, assertEquals } from "../assert.ts";
import { startBalancer } from "../fixture.ts";
import { kill, startEcho } from "../upstreams.ts";
import { until } from "../wait.ts";
import { identify } from "../clients.ts";
import { configToPool, poolOn, startPool } from "../pools.ts";
import { silentTest } from "../silent.ts";

const CONNECT_MS = 1000;
const CHECK = { interval: 50, timeout: 1000, fall: 3, rise: 2 };

/** Records the last server of each ID, and the changes of health. */
function observe() {
  const servers = new Map<string, number>();
  const changes: string[] = [];
  const observer: Observer = {
    connected: ({ id = "", upstream }) => void servers.set(id, upstream?.port ?? 0),
    serverChanged: ({ key }, state) => void changes.push(`${key.split(":")[1]} ${state}`),
  };
  return { servers, changes, observer };
}

/** Clients that connect, send their ID, receive it back and close, repeatedly. Records the ID and the start of each failure. */
function load(connect: () => Promise<Deno.TcpConn>, ids: readonly string[]) {
  const failures: { id: string; started: number; ended: number }[] = [];
  let stopped = false;
  const client = async (id: string) => {
    while (!stopped) {
      const started = performance.now();
      try {
        using conn = await connect();
        await identify(conn, id);
      } catch {
        failures.push({ id, started, ended: performance.now() });
      }
    }
  };
  const running = Promise.all(ids.map(client));
  return {
    failures,
    async stop() {
      stopped = true;
      await running;
    },
  };
}

/** Waits until each client has been served again, by a server that was picked since. */
async function everybodyServed(servers: Map<string, number>): Promise<void> {
  for (let round = 0; round < 2; round++) {
    servers.clear();
    await until(() => servers.size === IDS.length, "each client is served", 20_000);
  }
}

const IDS = Array.from({ length: 12 }, (_, index) => `client-${index}`);

Deno.test("one of three servers is killed and restarted repeatedly: only its own clients notice", async () => {
  let first = startEcho();
  const others = [startEcho(), startEcho()];
  const ports = [first, ...others].map(({ port }) => port);
  const { servers, changes, observer } = observe();
  const pool: PoolConfig = poolOn(ports, { strategy: "hash", health_check: CHECK });
  await using balancer = startBalancer(configToPool(pool, { timeouts: { connect: CONNECT_MS } }), {
    observers: [observer],
  });
  const clients = load(() => balancer.connect(), IDS);
  await until(() => servers.size === IDS.length, "each client has been served");
  const home = new Map(servers);
  const kills: { started: number; ended: number }[] = [];
  for (let round = 0; round < 3; round++) {
    kills.push(await kill(first));
    await until(() => changes.length === 2 * round + 1, "the server is taken out");
    await everybodyServed(servers);
    for (const [id, port] of servers) if (home.get(id) !== ports[0]) assertEquals(port, home.get(id));
    first = startEcho(first.port);
    await until(() => changes.length === 2 * round + 2, "the server is back");
    await everybodyServed(servers);
    assertEquals(
      new Map([...servers].sort()),
      new Map([...home].sort()),
      "exactly its own clients have come back",
    );
  }
  await clients.stop();
  for (const echo of [first, ...others]) await echo[Symbol.asyncDispose]();
  const [killed] = ports;
  assertEquals(changes, Array(3).fill([`${killed} down`, `${killed} up`]).flat());
  for (const { id, started, ended } of clients.failures) {
    assertEquals(home.get(id), killed, `${id} failed though its server lived`);
    assert(
      kills.some((kill) => started <= kill.ended && kill.started <= ended),
      `${id} failed though it was not cut off by the kill`,
    );
  }
});

Deno.test("a server that is gone is down after `fall` failed checks, and not before", async () => {
  await using other = startEcho();
  const echo = startEcho();
  const { changes, observer } = observe();
  let [checks, counting] = [0, false];
  const config = configToPool(poolOn([echo.port, other.port], { health_check: CHECK }));
  await using _balancer = startBalancer(config, {
    observers: [observer],
    connect: (options) => {
      if (counting && options.port === echo.port && changes.length === 0) checks += 1;
      return Deno.connect(options);
    },
  });
  await echo[Symbol.asyncDispose]();
  counting = true;
  await until(() => changes.length === 1, "the server is taken out");
  assert(checks === CHECK.fall || checks === CHECK.fall - 1, `${checks} checks`);
});

silentTest("a silent server is taken out, and clients of the others never wait for it", async (silent) => {
  const echoes = [startEcho(), startEcho()];
  const ports = [silent.port, ...echoes.map(({ port }) => port)];
  const { servers, changes, observer } = observe();
  const dialed = new Map<string, number>();
  const pool = poolOn(ports, { strategy: "hash", health_check: { ...CHECK, timeout: 100 } });
  await using balancer = startBalancer(configToPool(pool, { timeouts: { connect: CONNECT_MS } }), {
    observers: [observer, {
      dialing: ({ id = "" }) => void dialed.set(id, (dialed.get(id) ?? 0) + 1),
    }],
  });
  const results = await Promise.all(IDS.map(async (id) => {
    using client = await balancer.connect();
    await identify(client, id);
    return servers.get(id);
  }));
  assert(results.every((port) => port !== undefined && port !== silent.port));
  assert([...dialed.values()].every((count) => count <= 2), "each server is tried once");
  await until(() => changes.length === 1, "the silent server is taken out");
  assertEquals(changes, [`${silent.port} down`]);
  dialed.clear();
  for (const id of IDS) {
    using client = await balancer.connect();
    await identify(client, id);
  }
  assert([...dialed.values()].every((count) => count === 1), "nobody tries it any more");
  await silent.wake();
  await until(() => changes.length === 2, "it is back once it answers");
  for (const echo of echoes) await echo[Symbol.asyncDispose]();
});

Deno.test("reloads while clients connect and disconnect: none fails, and a server that is down stays down", async () => {
  const echoes = [startEcho(), startEcho()];
  const { changes, observer } = observe();
  const gone = 1; // a port on which nothing listens
  const pool = poolOn([gone, ...echoes.map(({ port }) => port)], { strategy: "hash", health_check: CHECK });
  await using balancer = startPool(pool, { observers: [observer] });
  await until(() => changes.length === 1, "the server is taken out");
  const clients = load(() => balancer.connect(), IDS);
  for (let round = 1; round <= 100; round++) {
    const servers = pool.servers.map((server) => ({ ...server, weight: round % 3 + 1 }));
    await balancer.balancer.reload(configToPool({ ...pool, servers, slow_start: round }));
  }
  await clients.stop();
  assertEquals([clients.failures, changes], [[], [`${gone} down`]]);
  const records = [...balancer.balancer.engine.snapshot.upstreams.records()];
  await until(() => records.every(({ active }) => active === 0), "every place is given back");
  assertEquals(records.length, 3);
  for (const echo of echoes) await echo[Symbol.asyncDispose]();
});
