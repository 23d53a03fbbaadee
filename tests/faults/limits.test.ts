/** Limits on connections, from the clients' point of view. */

import { assert, assertEquals } from "../assert.ts";
import { ID, receive, receiveAll, send } from "../bytes.ts";
import { refusalCode } from "../clients.ts";
import { type Changes, configTo, overEach, startBalancer, startBefore } from "../fixture.ts";
import { startEcho, startUpstream } from "../upstreams.ts";
import { pause, until } from "../wait.ts";

/** A balancer with an echo upstream for IDs 1 and 2. */
function start(changes: Changes) {
  const upstream = startEcho();
  const to = { host: "127.0.0.1", port: upstream.port };
  const routes = [{ id: "1", ...to }, { id: "2", ...to }];
  return startBefore(upstream, { routes, ...changes });
}

for (
  const limits of [{ connections: 2 }, { connections_per_ip: 2 }, { connections_per_id: 2 }]
) {
  const [name] = Object.keys(limits);
  Deno.test(`limits.${name}: a connection over it gets LIMIT_EXCEEDED, and a released place can be taken`, async () => {
    await using balancer = start({ limits });
    using first = await balancer.join();
    {
      using _second = await balancer.join();
      assertEquals(await balancer.refusal(), 6);
    }
    await until(() => balancer.balancer.active === 1, "the second has ended");
    using _third = await balancer.join();
    await send(first, Uint8Array.of(7));
    assertEquals(await receive(first, 1), Uint8Array.of(7));
  });
}

Deno.test("limits of 0 mean no limit", async () => {
  const limits = { connections: 0, connections_per_ip: 0, connections_per_id: 0, connection_rate_per_ip: 0 };
  await using balancer = start({ limits });
  using _first = await balancer.join();
  using _second = await balancer.join();
});

Deno.test("limits.connections_per_id counts each ID separately", async () => {
  await using balancer = start({ limits: { connections_per_id: 1 } });
  using _first = await balancer.join("1");
  using _second = await balancer.join("2");
  assertEquals(await balancer.refusal("2"), 6);
});

Deno.test("limits.connection_rate_per_ip: a burst over it gets LIMIT_EXCEEDED, later ones get through", async () => {
  await using balancer = start({ limits: { connection_rate_per_ip: 4 } });
  // at once: the rate permits another one each quarter of a second
  const first = await Promise.all(Array.from({ length: 5 }, async () => {
    using client = await balancer.connect();
    await send(client, ID);
    return (await receive(client, 1))[0];
  }));
  assertEquals(first.sort(), [ID[0], ID[0], ID[0], ID[0], 3]);
  await pause(300);
  using _later = await balancer.join();
});

Deno.test("silent clients take half of the places, and the one that has been silent longest is evicted", async () => {
  await using balancer = start({ limits: { connections: 8 }, timeouts: { id: 20_000 } });
  const silent = [];
  for (let index = 0; index < 5; index++) silent.push(await balancer.connect());
  const [oldest, second] = silent;
  assert(oldest && second);
  assertEquals(refusalCode(await receiveAll(oldest)), 6);
  await send(second, ID);
  assertEquals(await receive(second, ID.length), ID);
  for (const client of silent) client.close();
});

Deno.test("a client is served while 400 silent ones take all places that they can get", async () => {
  await using balancer = start({ limits: { connections: 20 }, timeouts: { id: 20_000 } });
  const silent = await Promise.all(Array.from({ length: 400 }, balancer.connect));
  for (let index = 0; index < 20; index++) {
    using client = await balancer.join();
    await send(client, Uint8Array.of(7));
    assertEquals(await receive(client, 1), Uint8Array.of(7));
  }
  for (const client of silent) client.close();
});

Deno.test("if all places are relayed connections, a newcomer gets LIMIT_EXCEEDED and evicts none", async () => {
  await using balancer = start({ limits: { connections: 2 } });
  using first = await balancer.join();
  using second = await balancer.join();
  for (let index = 0; index < 5; index++) assertEquals(await balancer.refusal(), 6);
  for (const client of [first, second]) {
    await send(client, Uint8Array.of(7));
    assertEquals(await receive(client, 1), Uint8Array.of(7));
  }
});

Deno.test("duplicate_id: reject refuses the second connection of an ID", async () => {
  await using balancer = start({ duplicate_id: "reject" });
  using first = await balancer.join("1");
  assertEquals(await balancer.refusal("1"), 6);
  using _other = await balancer.join("2");
  await send(first, Uint8Array.of(7));
  assertEquals(await receive(first, 1), Uint8Array.of(7));
});

Deno.test("duplicate_id: replace ends the older connection of an ID at once", async () => {
  await using balancer = start({ duplicate_id: "replace" });
  using older = await balancer.join("1");
  using other = await balancer.join("2");
  using newer = await balancer.join("1");
  const joined = performance.now();
  assertEquals((await receiveAll(older)).length, 0);
  assert(performance.now() - joined < 2000, "the older one went on");
  for (const client of [newer, other]) {
    await send(client, Uint8Array.of(7));
    assertEquals(await receive(client, 1), Uint8Array.of(7));
  }
});

Deno.test("duplicate_id: replace sends REPLACED to a client that has received nothing from its upstream", async () => {
  await using upstream = startUpstream(async (conn) => void await receiveAll(conn));
  await using balancer = startBalancer(configTo(upstream.port, { duplicate_id: "replace" }));
  using older = await balancer.connect();
  await send(older, ID);
  const { registry } = balancer.balancer.engine;
  await until(() => [...registry].some(({ connectedAt }) => connectedAt), "the older one is connected");
  using newer = await balancer.connect();
  await send(newer, ID);
  assertEquals(refusalCode(await receiveAll(older)), 9);
});

Deno.test("duplicate_id: replace ends an older connection that is still being dialed", async () => {
  const connect = () => new Promise<Deno.TcpConn>(() => {});
  await using balancer = startBalancer(configTo(9, { duplicate_id: "replace", timeouts: { connect: 500 } }), {
    connect,
  });
  using older = await balancer.connect();
  await send(older, ID);
  await until(() => [...balancer.balancer.engine.registry].some(({ dialedAt }) => dialedAt), "it is dialed");
  using newer = await balancer.connect();
  await send(newer, ID);
  assertEquals(refusalCode(await receiveAll(older)), 9);
  await newer.closeWrite();
  assertEquals(refusalCode(await receiveAll(newer)), 5);
});

overEach(
  "duplicate_id: replace leaves one of 50 connections of an ID, which ends like any other",
  async (transport) => {
    await using balancer = start({ duplicate_id: "replace" });
    const open = new Set(
      await Promise.all(Array.from({ length: 50 }, () => balancer.connectOver(transport))),
    );
    const over = [...open].map(async (client) => {
      await send(client, ID);
      // a reset too is an end: the last word for a WebSocket may cross what the client still sends
      await receiveAll(client).catch(() => {});
      client.close();
      open.delete(client);
    });
    await until(() => balancer.balancer.active === 1 && open.size === 1, "one is left");
    const [last] = open;
    await last?.closeWrite();
    await Promise.all(over);
    await until(() => balancer.balancer.active === 0, "it has ended too");
  },
);

Deno.test("clients that were silent before a reload of timeouts.id make room for newcomers after it", async () => {
  await using upstream = startEcho();
  const config = configTo(upstream.port, { limits: { connections: 4 }, timeouts: { id: 20_000 } });
  await using balancer = startBalancer(config);
  const join = async () => {
    const client = await balancer.connect();
    await send(client, ID);
    assertEquals(await receive(client, ID.length), ID);
    return client;
  };
  const relaying = [await join(), await join()];
  const silent = [await balancer.connect(), await balancer.connect()];
  await until(() => balancer.balancer.active === 4, "all are accepted");
  await balancer.balancer.reload({ ...config, timeouts: { ...config.timeouts, id: 10_000 } });
  using _newcomer = await join();
  const [oldest] = silent;
  assert(oldest);
  assertEquals(refusalCode(await receiveAll(oldest)), 6);
  for (const client of [...relaying, ...silent]) client.close();
});
