import { encodeId } from "../../lib/frame/tlv.ts";
import { type AdmissionCounts, Limiter } from "../../lib/admission/limiter.ts";
import { Refusal } from "../../lib/errors.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { receive, receiveAll, send } from "../bytes.ts";
import { refusalCode } from "../clients.ts";
import { type Changes, configTo, overEach, startBalancer, startBefore } from "../fixture.ts";
import { openThreads } from "../shared/fixture.ts";
import { startEcho, startUpstream } from "../upstreams.ts";
import { pause, until } from "../wait.ts";

const ID = encodeId("1");

/** An echo upstream for IDs 1 and 2, and a balancer before it. */
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

Deno.test("limits of 0 are none", async () => {
  const limits = { connections: 0, connections_per_ip: 0, connections_per_id: 0, connection_rate_per_ip: 0 };
  await using balancer = start({ limits });
  using _first = await balancer.join();
  using _second = await balancer.join();
});

Deno.test("limits.connections_per_id counts each ID apart", async () => {
  await using balancer = start({ limits: { connections_per_id: 1 } });
  using _first = await balancer.join("1");
  using _second = await balancer.join("2");
  assertEquals(await balancer.refusal("2"), 6);
});

Deno.test("limits.connection_rate_per_ip: a burst over it gets LIMIT_EXCEEDED, later ones get through", async () => {
  await using balancer = start({ limits: { connection_rate_per_ip: 4 } });
  // at once: the rate gives a place back each quarter of a second
  const first = await Promise.all(Array.from({ length: 5 }, async () => {
    using client = await balancer.connect();
    await send(client, ID);
    return (await receive(client, 1))[0];
  }));
  assertEquals(first.sort(), [ID[0], ID[0], ID[0], ID[0], 3]);
  await pause(300);
  using _later = await balancer.join();
});

Deno.test("silent clients take half of the places, and the one that has been silent longest gives way", async () => {
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

Deno.test("a client is served while 400 silent ones hold on to all they can get", async () => {
  await using balancer = start({ limits: { connections: 20 }, timeouts: { id: 20_000 } });
  const silent = await Promise.all(Array.from({ length: 400 }, balancer.connect));
  for (let index = 0; index < 20; index++) {
    using client = await balancer.join();
    await send(client, Uint8Array.of(7));
    assertEquals(await receive(client, 1), Uint8Array.of(7));
  }
  for (const client of silent) client.close();
});

Deno.test("where every place is relaying, one that connects gets LIMIT_EXCEEDED and ends none of them", async () => {
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

Deno.test("duplicate_id: replace tells a client REPLACED that has got nothing from its upstream yet", async () => {
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

/** A limiter, and who was evicted from it. */
function limiterOf(changes: Changes, counts?: AdmissionCounts) {
  const limiter = new Limiter(configTo(9, changes), counts);
  const evicted: string[] = [];
  const reserve = (name: string, address = "192.0.2.7") =>
    limiter.reserve((why) => evicted.push(`${name} ${why.reason}`), address);
  return { limiter, evicted, reserve };
}

/** A test over the counts of one thread, and over those that threads share. */
function overCounts(name: string, test: (start: typeof limiterOf) => void): void {
  Deno.test(name, () => test(limiterOf));
  Deno.test(`${name} (shared counts)`, () => test((changes) => limiterOf(changes, openThreads(2).one)));
}

overCounts("duplicate_id: replace counts one connection of an ID at every moment", (limiterOf) => {
  const { limiter, evicted, reserve } = limiterOf({ duplicate_id: "replace" });
  for (let index = 0; index < 5; index++) reserve(`${index}`).identified("1");
  assertEquals(evicted, [0, 1, 2, 3].map((index) => `${index} REPLACED`));
  assertEquals(limiter.held, 1);
});

overCounts("a permit gives back what it holds, once", (limiterOf) => {
  const { limiter, reserve } = limiterOf({ limits: { connections_per_ip: 1, connections_per_id: 1 } });
  const permit = reserve("a");
  permit.identified("1");
  assertThrows(() => reserve("b"), Refusal, "more than 1 connections from 192.0.2.7");
  permit[Symbol.dispose]();
  permit[Symbol.dispose]();
  assertEquals(limiter.held, 0);
  reserve("c").identified("1");
  assertThrows(() => reserve("d"), Refusal, "more than 1 connections from 192.0.2.7");
  assertThrows(() => reserve("e", "192.0.2.8").identified("1"), Refusal, "too many connections of this ID");
});

overCounts("a permit that was evicted counts for no address that becomes known too late", (limiterOf) => {
  const { limiter, evicted, reserve } = limiterOf({ limits: { connections: 1, connections_per_ip: 1 } });
  const behindProxy = limiter.reserve(() => evicted.push("proxied"));
  reserve("next", "192.0.2.8");
  assertEquals(evicted, ["proxied"]);
  behindProxy.from("192.0.2.9");
  behindProxy[Symbol.dispose]();
  limiter.configure(configTo(9, { limits: { connections: 0, connections_per_ip: 1 } }));
  reserve("last", "192.0.2.9");
});

overCounts("an address that is denied evicts nobody", (limiterOf) => {
  const { evicted, reserve } = limiterOf({ limits: { connections: 1 }, deny: ["192.0.2.66"] });
  reserve("silent");
  assertThrows(() => reserve("denied", "192.0.2.66"), Refusal, "connections from 192.0.2.66 are not allowed");
  assertEquals(evicted, []);
});

overCounts("limits that a reload brings count what is open already", (limiterOf) => {
  const { limiter, evicted, reserve } = limiterOf({});
  const permits = ["a", "b", "c"].map((name) => reserve(name));
  for (const permit of permits) permit.identified("1");
  limiter.configure(configTo(9, { duplicate_id: "reject", limits: { connections_per_ip: 3 } }));
  assertThrows(() => reserve("d"), Refusal, "more than 3 connections from 192.0.2.7");
  {
    using another = reserve("e", "192.0.2.8");
    assertThrows(() => another.identified("1"), Refusal, "this ID is already connected");
  }
  limiter.configure(configTo(9, { duplicate_id: "replace" }));
  reserve("f", "192.0.2.8").identified("1");
  assertEquals(evicted, ["a REPLACED", "b REPLACED", "c REPLACED"]);
  for (const permit of permits) permit[Symbol.dispose]();
  limiter.configure(configTo(9, { limits: { connections_per_ip: 3 } }));
  for (const name of ["g", "h", "i"]) reserve(name);
  assertThrows(() => reserve("j"), Refusal, "more than 3 connections");
});

/** The limiters of two threads. What one asks of the other reaches it when `deliver` is called. */
function limitersOf(changes: Changes) {
  const { one, other, evictions } = openThreads(2);
  const limiters = [limiterOf(changes, one), limiterOf(changes, other)] as const;
  const deliver = () => {
    for (const [thread, eviction] of evictions.splice(0)) limiters[thread]?.limiter.evict(eviction);
  };
  return { limiters, deliver };
}

Deno.test("limits hold over all threads, and a place that one thread releases another can take", () => {
  const { limiters: [one, other] } = limitersOf({
    limits: { connections: 4, connections_per_ip: 2, connections_per_id: 1 },
  });
  const permit = one.reserve("a");
  permit.identified("1");
  assertThrows(
    () => other.reserve("b", "192.0.2.8").identified("1"),
    Refusal,
    "too many connections of this ID",
  );
  other.reserve("c").identified("2");
  assertThrows(() => other.reserve("d"), Refusal, "more than 2 connections from 192.0.2.7");
  permit[Symbol.dispose]();
  other.reserve("e").identified("1");
  one.reserve("f", "192.0.2.9").identified("3");
  assertThrows(() => one.reserve("g", "192.0.2.10"), Refusal, "all 4 connections allowed are in use");
});

Deno.test("connection_rate_per_ip holds over all threads", () => {
  const { limiters: [one, other] } = limitersOf({ limits: { connection_rate_per_ip: 2 } });
  one.reserve("a");
  other.reserve("b");
  assertThrows(() => one.reserve("c"), Refusal, "more than 2 connections a second from 192.0.2.7");
});

Deno.test("duplicate_id: reject refuses the second connection of an ID in any thread", () => {
  const { limiters: [one, other] } = limitersOf({ duplicate_id: "reject" });
  const first = one.reserve("a");
  first.identified("1");
  assertThrows(() => other.reserve("b").identified("1"), Refusal, "this ID is already connected");
  first[Symbol.dispose]();
  other.reserve("c").identified("1");
});

Deno.test("duplicate_id: replace ends the older connection in another thread, and none of other IDs", () => {
  const { limiters: [one, other], deliver } = limitersOf({ duplicate_id: "replace" });
  one.reserve("a").identified("1");
  one.reserve("b").identified("2");
  other.reserve("c").identified("1");
  deliver();
  assertEquals([one.evicted, other.evicted], [["a REPLACED"], []]);
});

Deno.test("of connections of an ID in several threads the last one stays, however late threads are notified", () => {
  const { limiters: [one, other], deliver } = limitersOf({ duplicate_id: "replace" });
  one.reserve("a").identified("1");
  other.reserve("b").identified("1");
  one.reserve("c").identified("1");
  other.reserve("d").identified("1");
  one.reserve("e").identified("1");
  deliver();
  assertEquals([one.evicted, other.evicted], [["a REPLACED", "c REPLACED"], ["b REPLACED", "d REPLACED"]]);
  assertEquals([one.limiter.held, other.limiter.held], [1, 0]);
});

Deno.test("a thread without silent clients evicts that of another thread which has been silent longest", () => {
  const { limiters: [one, other], deliver } = limitersOf({ limits: { connections: 4 } });
  one.reserve("a");
  one.reserve("b");
  other.reserve("c");
  deliver();
  assertEquals([one.evicted, other.evicted], [["a LIMIT_EXCEEDED"], []]);
  assertEquals([one.limiter.held, other.limiter.held], [1, 1]);
});

Deno.test("a client that sends its ID gets no place that another thread has taken already", () => {
  const { limiters: [one, other], deliver } = limitersOf({ limits: { connections: 2 } });
  const late = one.reserve("a");
  other.reserve("b").identified("1");
  other.reserve("c");
  other.reserve("d").identified("2");
  late.identified("3");
  assertEquals([one.evicted, one.limiter.held], [["a LIMIT_EXCEEDED"], 0]);
  deliver();
  assertThrows(() => one.reserve("e"), Refusal, "all 2 connections allowed are in use");
});

Deno.test("with shared counts nothing is left once every connection has ended", () => {
  const limits = { connections: 2, connections_per_ip: 2, connections_per_id: 2 };
  const { limiters, deliver } = limitersOf({ limits });
  for (let round = 0; round < 20; round++) {
    const permits = limiters.map(({ reserve }) => reserve("a"));
    deliver();
    permits[round % 2]?.identified("1");
    for (const permit of permits) permit[Symbol.dispose]();
  }
  for (const { reserve } of limiters) reserve("b").identified("1");
});

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
