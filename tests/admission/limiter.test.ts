import { Deadlines } from "../../lib/util/deadlines.ts";
import { encodeId } from "../../lib/frame/tlv.ts";
import { Admission } from "../../lib/admission/limiter.ts";
import { type Holder, Occupancy } from "../../lib/admission/counts.ts";
import { TcpDuplex } from "../../lib/transport/tcp.ts";
import { LINGER_MOST, lingeringClose } from "../../lib/transport/linger.ts";
import { assert, assertEquals } from "../assert.ts";
import {
  type Changes,
  configTo,
  overEach,
  receive,
  receiveAll,
  refusalCode,
  send,
  startBalancer,
  startEcho,
  startUpstream,
  until,
} from "../harness.ts";

const ID = encodeId("1");

/** An echo upstream for IDs 1 and 2, and a balancer before it. */
function start(changes: Changes) {
  const upstream = startEcho();
  const to = { host: "127.0.0.1", port: upstream.port };
  const routes = [{ id: "1", ...to }, { id: "2", ...to }];
  const balancer = startBalancer(configTo(upstream.port, { routes, ...changes }));
  return {
    ...balancer,
    /** A client whose ID has been echoed: it holds its place. */
    async join(id = "1") {
      const client = await balancer.connect();
      await send(client, encodeId(id));
      assertEquals(await receive(client, 6), encodeId(id));
      return client;
    },
    /** The code that a client of this ID is turned away with. */
    async refusal(id = "1") {
      using client = await balancer.connect();
      await send(client, encodeId(id));
      return refusalCode(await receiveAll(client));
    },
    async [Symbol.asyncDispose]() {
      await balancer[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

for (
  const limits of [{ connections: 2 }, { connections_per_ip: 2 }, { connections_per_id: 2 }]
) {
  const [name] = Object.keys(limits);
  Deno.test(`limits.${name}: what is over it gets LIMIT_EXCEEDED, and a place that is left can be taken`, async () => {
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

Deno.test("limits.connections_per_id counts each ID by itself", async () => {
  await using balancer = start({ limits: { connections_per_id: 1 } });
  using _first = await balancer.join("1");
  using _second = await balancer.join("2");
  assertEquals(await balancer.refusal("2"), 6);
});

Deno.test("limits.connection_rate_per_ip: a burst over it gets LIMIT_EXCEEDED, later ones get through", async () => {
  await using balancer = start({ limits: { connection_rate_per_ip: 4 } });
  const clients = [];
  for (let index = 0; index < 4; index++) clients.push(await balancer.join());
  assertEquals(await balancer.refusal(), 6);
  for (const client of clients) client.close();
  await new Promise((resolve) => setTimeout(resolve, 300));
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

Deno.test("duplicate_id: reject turns the second connection of an ID away", async () => {
  await using balancer = start({ duplicate_id: "reject" });
  using first = await balancer.join("1");
  assertEquals(await balancer.refusal("1"), 6);
  using _other = await balancer.join("2");
  await send(first, Uint8Array.of(7));
  assertEquals(await receive(first, 1), Uint8Array.of(7));
});

Deno.test("duplicate_id: replace ends the older connection of an ID within 100 ms", async () => {
  await using balancer = start({ duplicate_id: "replace" });
  using older = await balancer.join("1");
  using other = await balancer.join("2");
  using newer = await balancer.join("1");
  const joined = performance.now();
  assertEquals((await receiveAll(older)).length, 0);
  assert(performance.now() - joined < 100, "the older one went on");
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
  await until(() => balancer.balancer.active === 1, "the older one is in");
  await new Promise((resolve) => setTimeout(resolve, 50));
  using newer = await balancer.connect();
  await send(newer, ID);
  assertEquals(refusalCode(await receiveAll(older)), 9);
});

Deno.test("duplicate_id: replace ends an older connection that is still being dialed", async () => {
  const connect = () => new Promise<Deno.TcpConn>(() => {});
  await using balancer = startBalancer(configTo(9, { duplicate_id: "replace" }), { connect });
  using older = await balancer.connect();
  await send(older, ID);
  await new Promise((resolve) => setTimeout(resolve, 50));
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

Deno.test("duplicate_id: replace counts one connection of an ID at every moment", () => {
  const occupancy = new Occupancy();
  const admission = new Admission(
    configTo(9, { duplicate_id: "replace" }),
    occupancy,
    new Deadlines(1000),
  );
  let before: Holder | undefined;
  for (let index = 0; index < 5; index++) {
    const holder = { counted: false, countedAddress: undefined, countedId: undefined };
    assertEquals(admission.claim(holder, "1"), before ? [before] : []);
    assertEquals([...occupancy.ofId("1")], [holder]);
    before = holder;
  }
});

Deno.test("500 that are turned away may linger, and the oldest is cut off for the next", async () => {
  const ended: number[] = [];
  const waiting: (() => void)[] = [];
  /** A peer that takes its last word and then stays. */
  const stayer = (index: number) => {
    const { promise, resolve } = Promise.withResolvers<null>();
    const close = () => {
      if (!ended.includes(index)) ended.push(index);
      resolve(null);
    };
    waiting.push(close);
    return new TcpDuplex({
      read: () => promise,
      write: (bytes) => Promise.resolve(bytes.length),
      closeWrite: () => Promise.resolve(),
      setNoDelay: () => {},
      [Symbol.dispose]: close,
    });
  };
  const turning = Array.from({ length: 503 }, (_, index) => lingeringClose(stayer(index), ID));
  await turning[2];
  assertEquals(ended, [0, 1, 2]);
  for (const close of waiting) close();
  await Promise.all(turning);
});

Deno.test("each of those that are turned away at one moment is told why, however many they are", async () => {
  const told = new Set<number>();
  /** A peer whose socket takes a last word in its own time, unless it is closed by then, and that then stays. */
  const stayer = (index: number) => {
    const { promise: closed, reject } = Promise.withResolvers<never>();
    closed.catch(() => {});
    const taking = (bytes: Uint8Array) =>
      new Promise<number>((resolve) => setTimeout(resolve, 0, bytes.length));
    return new TcpDuplex({
      read: () => closed,
      write: (bytes) => Promise.race([closed, taking(bytes)]),
      closeWrite: () => Promise.resolve(void told.add(index)),
      setNoDelay: () => {},
      [Symbol.dispose]: () => reject(new Deno.errors.Interrupted("closed")),
    });
  };
  const peers = Array.from({ length: 3 * LINGER_MOST }, (_, index) => stayer(index));
  const turning = peers.map((peer) => lingeringClose(peer, ID));
  await turning[0];
  await until(() => told.size === peers.length, "all have been told");
  for (const peer of peers) peer.close();
  await Promise.all(turning);
});
