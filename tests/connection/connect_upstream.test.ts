import type { Observer } from "../../lib/observe/observer.ts";
import { assert, assertEquals, assertGreaterOrEqual } from "../assert.ts";
import { ID, receive, receiveAll, send } from "../bytes.ts";
import { startEcho, startUpstream } from "../upstreams.ts";
import { until } from "../wait.ts";
import { identify, refused } from "../clients.ts";
import { configToPool, poolOn, startPool } from "../pools.ts";
import { captureLog } from "../serving.ts";
import { silentTest } from "../silent.ts";

const UPSTREAM_UNAVAILABLE = 5;
const LIMIT_EXCEEDED = 6;
const REFUSED = "Connection refused (os error 111)";

/** Ports on which nothing listens. */
const DEAD = [1, 2, 3] as const;

/** Records the ports that are dialed, and the reason of each failed dial. */
function dialObserver() {
  const dialed: number[] = [];
  const failed: string[] = [];
  const observer: Observer = {
    dialing: (_, { port }) => void dialed.push(port),
    dialFailed: (_, { port }, reason) => void failed.push(`${port} ${reason}`),
  };
  return { dialed, failed, observer };
}

Deno.test("if a server refuses, the next one is tried", async () => {
  await using echo = startEcho();
  const [dead] = DEAD;
  const { dialed, failed, observer } = dialObserver();
  await using balancer = startPool(poolOn([dead, echo.port]), { observers: [observer] });
  using client = await balancer.connect();
  await identify(client);
  assertEquals([dialed, failed], [[dead, echo.port], [`${dead} refused`]]);
});

Deno.test("if every server refuses, each is tried once and the client gets UPSTREAM_UNAVAILABLE", async () => {
  const ports = [...DEAD];
  const { dialed, observer } = dialObserver();
  const closings: (string | undefined)[] = [];
  const closed: Observer["closed"] = (_, { detail }) => void closings.push(detail);
  await using balancer = startPool(poolOn(ports), { observers: [observer, { closed }] });
  const client = await balancer.connect();
  assertEquals(await refused(client), UPSTREAM_UNAVAILABLE);
  assertEquals([...dialed].sort(), [...ports].sort());
  client.close();
  await until(() => closings.length === 1, "the connection has ended");
  assertEquals(closings[0], dialed.map((port) => `127.0.0.1:${port}: ${REFUSED}`).join("; "));
});

silentTest(
  "a server that does not answer costs its share of timeouts.connect, and no more",
  async (silent) => {
    await using echo = startEcho();
    const { failed, observer } = dialObserver();
    const pool = poolOn([silent.port, echo.port]);
    await using balancer = startPool(pool, { observers: [observer] }, { timeouts: { connect: 600 } });
    using client = await balancer.connect();
    const started = performance.now();
    await identify(client);
    assertGreaterOrEqual(performance.now() - started, 299);
    assertEquals(failed, [`${silent.port} timeout`]);
  },
);

silentTest("all servers together take no longer than timeouts.connect", async (silent) => {
  const servers = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6"];
  const pool = poolOn([], {
    servers: servers.map((host) => ({ host, port: silent.port, weight: 1, backup: false })),
  });
  const { dialed, observer } = dialObserver();
  await using balancer = startPool(pool, {
    observers: [observer],
    connect: (options) => Deno.connect({ ...options, hostname: "127.0.0.1" }),
  }, { timeouts: { connect: 600 } });
  using client = await balancer.connect();
  assertEquals(await refused(client), UPSTREAM_UNAVAILABLE);
  // each has at least 250 ms
  assert(dialed.length <= 3, `${dialed.length} servers were dialed`);
});

Deno.test("a full server is skipped; if all are full, the client gets LIMIT_EXCEEDED", async () => {
  await using one = startEcho();
  await using two = startEcho();
  const { dialed, observer } = dialObserver();
  const pool = poolOn([one.port, two.port], { strategy: "hash", max_connections: 1 });
  await using balancer = startPool(pool, { observers: [observer] });
  const first = await balancer.connect();
  await identify(first);
  using second = await balancer.connect();
  await identify(second);
  assertEquals([...dialed].sort(), [one.port, two.port].sort());
  const third = await balancer.connect();
  assertEquals(await refused(third), LIMIT_EXCEEDED);
  third.close();
  first.close();
  await until(() => balancer.balancer.active === 1, "its place is free");
  using fourth = await balancer.connect();
  await identify(fourth);
});

Deno.test("a backup is dialed only while no other server can be reached", async () => {
  await using backup = startEcho();
  await using main = startEcho();
  const pool = poolOn([backup.port, main.port]);
  const [first, second] = pool.servers;
  assert(first && second);
  const { dialed, observer } = dialObserver();
  let isDown = true;
  await using balancer = startPool(
    { ...pool, servers: [{ ...first, backup: true }, second] },
    {
      observers: [observer],
      connect: (options) => {
        if (isDown && options.port === main.port) {
          return Promise.reject(
            new Deno.errors.ConnectionRefused(REFUSED),
          );
        }
        return Deno.connect(options);
      },
    },
  );
  for (isDown of [true, false]) {
    using client = await balancer.connect();
    await identify(client);
  }
  assertEquals(dialed, [main.port, backup.port, main.port]);
});

Deno.test("a reload with weight 0 drains a server: open connections continue, new ones go elsewhere", async () => {
  await using one = startEcho();
  await using two = startEcho();
  const pool = poolOn([one.port, two.port]);
  const { dialed, observer } = dialObserver();
  await using balancer = startPool(pool, { observers: [observer] });
  using old = await balancer.connect();
  await identify(old);
  assertEquals(dialed, [one.port]);
  const servers = pool.servers.map((server) => server.port === one.port ? { ...server, weight: 0 } : server);
  await balancer.balancer.reload(configToPool({ ...pool, servers }));
  for (let count = 0; count < 4; count++) {
    using client = await balancer.connect();
    await identify(client);
  }
  assertEquals(dialed.slice(1), Array(4).fill(two.port));
  await send(old, Uint8Array.of(7));
  assertEquals(await receive(old, 1), Uint8Array.of(7));
});

Deno.test("bytes that were sent to one server are never sent to another", async () => {
  let heard = 0;
  await using other = startUpstream(async (conn) => {
    heard += (await receiveAll(conn)).length;
  });
  await using broken = startUpstream(async (conn) => {
    await receive(conn, 1);
  });
  await using balancer = startPool(poolOn([broken.port, other.port]));
  const client = await balancer.connect();
  await send(client, ID);
  await receiveAll(client).catch(() => {});
  client.close();
  await until(() => balancer.balancer.active === 0, "the connection ends");
  assertEquals(heard, 0);
});

Deno.test("failed dials of clients eject a server, which is reported and logged", async () => {
  using log = captureLog();
  await using echo = startEcho();
  const [dead] = DEAD;
  const { dialed, observer } = dialObserver();
  const changes: string[] = [];
  const pool = poolOn([dead, echo.port], { max_fails: 2 });
  await using balancer = startPool(pool, {
    observers: [observer, {
      serverChanged: ({ key, pool }, state) => changes.push(`${pool} ${key} ${state}`),
    }],
  });
  for (let count = 0; count < 6; count++) {
    using client = await balancer.connect();
    await identify(client);
  }
  assertEquals(dialed.filter((port) => port === dead).length, 2);
  assertEquals(changes, [`eu 127.0.0.1:${dead} ejected`]);
  assertEquals(log.lines(`server 127.0.0.1:${dead} of pool eu is ejected: `).length, 1);
});

Deno.test("a pool whose servers are all drained refuses its clients", async () => {
  const pool = poolOn([9]);
  const servers = pool.servers.map((server) => ({ ...server, weight: 0 }));
  await using balancer = startPool({ ...pool, servers });
  using client = await balancer.connect();
  assertEquals(await refused(client), UPSTREAM_UNAVAILABLE);
});
