import { sweepRelays } from "../../lib/relay/sweep.ts";
import { assertEquals, assertGreater } from "../assert.ts";
import { ID, receive, receiveAll, send } from "../bytes.ts";
import { type Changes, overEach, startEchoing, startPath } from "../fixture.ts";
import { until } from "../wait.ts";
import { RawWebSocket } from "../transport/websocket/raw.ts";
import { wire } from "../transport/websocket/wire.ts";
import { captureLog } from "../serving.ts";

const HOUR = 3_600_000;

/** A balancer that sweeps when the test does, at times that the test sets. */
function startSwept(timeouts: Changes["timeouts"], serve?: (conn: Deno.TcpConn) => Promise<void>) {
  const path = startPath(serve, timeouts && { timeouts });
  const { idleTimeout, registry } = path.balancer.engine;
  idleTimeout[Symbol.dispose]();
  let now = Math.ceil(performance.now());
  const sweep = (ms: number) => sweepRelays(now += ms);
  const delivered = () =>
    [...registry].every(({ up, down }) => up.read === up.written && down.read === down.written);
  return {
    ...path,
    /** Sweeps `ms` after the previous time, once all bytes that were read have been written. */
    async sweepAfter(ms: number) {
      await until(delivered, "all is delivered");
      sweep(ms);
    },
    /** Numbers of the open connections. */
    kept: () => [...registry].filter(({ closing }) => !closing).map(({ conn }) => conn),
    /** Sweeps, each time `ms` later, until a connection is ended. @param act Called before each sweep. */
    sweepUntilEnded: (ms: number, act = () => {}) =>
      until(() => {
        act();
        sweep(ms);
        return [...registry].some(({ closing }) => closing);
      }, "a connection is ended"),
  };
}

overEach("timeouts.idle ends a connection without traffic, never early", async (transport) => {
  await using balancer = startEchoing({ timeouts: { idle: 200 } });
  using log = captureLog();
  using client = await balancer.join("1", transport);
  const began = performance.now();
  await receiveAll(client);
  assertGreater(performance.now() - began, 195);
  await until(() => balancer.balancer.active === 0, "it has ended");
  assertEquals(log.reasons(), ["idle"]);
});

overEach("timeouts.idle ends no connection with traffic", async (transport) => {
  await using balancer = startSwept({ idle: 400 });
  using log = captureLog();
  using quiet = await balancer.join("1", transport);
  using lively = await balancer.join("1", transport);
  await balancer.sweepAfter(0);
  for (const beat of [1, 2]) {
    assertEquals(balancer.kept(), [1, 2]);
    await send(lively, Uint8Array.of(beat));
    assertEquals(await receive(lively, 1), Uint8Array.of(beat));
    await balancer.sweepAfter(beat === 1 ? 399 : 1);
  }
  assertEquals(balancer.kept(), [2]);
  assertEquals((await receiveAll(quiet)).length, 0);
  await until(() => balancer.balancer.active === 1, "the lively one is all that is left");
  assertEquals(log.reasons(), ["idle"]);
});

overEach("bytes in one direction alone keep a connection from being idle", async (transport) => {
  const beats = new TransformStream<Uint8Array, Uint8Array>();
  const beating = beats.writable.getWriter();
  await using balancer = startSwept({ idle: 400 }, async (conn) => {
    for await (const beat of beats.readable) await send(conn, beat);
  });
  using client = await balancer.connectOver(transport);
  await send(client, ID);
  for (let beat = 0; beat < 16; beat++) {
    await beating.write(Uint8Array.of(beat));
    assertEquals(await receive(client, 1), Uint8Array.of(beat));
    await balancer.sweepAfter(390);
  }
  assertEquals(balancer.kept(), [1]);
  await beating.close();
  assertEquals((await receiveAll(client)).length, 0);
});

for (const first of ["client", "upstream"] as const) {
  Deno.test(`timeouts.half_close ends a connection whose ${first} has finished and whose other side is quiet`, async () => {
    const released = Promise.withResolvers<void>();
    await using balancer = startSwept({ idle: HOUR, half_close: 200 }, async (conn) => {
      if (first === "upstream") await conn.closeWrite();
      await receiveAll(conn);
      if (first === "client") await released.promise;
    });
    using log = captureLog();
    using client = await balancer.connect();
    await send(client, ID);
    if (first === "client") await client.closeWrite();
    await balancer.sweepUntilEnded(200);
    await receiveAll(client);
    await until(() => log.reasons().includes("idle"), "it is ended");
    released.resolve();
  });
}

Deno.test("timeouts.half_close ends no connection that is open both ways", async () => {
  await using balancer = startSwept({ idle: HOUR, half_close: 200 });
  using _client = await balancer.join();
  await balancer.sweepAfter(0);
  await balancer.sweepAfter(HOUR - 1);
  assertEquals(balancer.kept(), [1]);
  await balancer.sweepAfter(1);
  assertEquals(balancer.kept(), [], "timeouts.idle does");
});

Deno.test("a half-closed connection with traffic stays open", async () => {
  const beats = new TransformStream<Uint8Array, Uint8Array>();
  const beating = beats.writable.getWriter();
  await using balancer = startSwept({ half_close: 300 }, async (conn) => {
    await receiveAll(conn);
    for await (const beat of beats.readable) await send(conn, beat);
  });
  using client = await balancer.connect();
  await send(client, ID);
  await client.closeWrite();
  for (let beat = 0; beat < 12; beat++) {
    await beating.write(Uint8Array.of(beat));
    assertEquals(await receive(client, 1), Uint8Array.of(beat));
    await balancer.sweepAfter(290);
  }
  assertEquals(balancer.kept(), [1]);
  await beating.close();
  assertEquals((await receiveAll(client)).length, 0);
});

Deno.test("pings keep a WebSocket from being idle", async () => {
  await using balancer = startSwept({ idle: 400 });
  using socket = await RawWebSocket.open(balancer.port, wire({ payload: ID }));
  assertEquals((await socket.frame())?.payload, ID);
  for (let beat = 0; beat < 16; beat++) {
    await socket.send(wire({ opcode: 9, payload: [beat] }));
    assertEquals((await socket.frame())?.payload, Uint8Array.of(beat));
    await balancer.sweepAfter(390);
  }
  assertEquals(balancer.kept(), [1]);
  await balancer.sweepAfter(400);
  assertEquals((await socket.rest()).code, 1001, "without them it is ended");
});

Deno.test("pings do not keep a WebSocket whose upstream has finished from timeouts.half_close", async () => {
  await using balancer = startSwept({ idle: HOUR, half_close: 300 }, async (conn) => {
    await conn.closeWrite();
    await receiveAll(conn);
  });
  using log = captureLog();
  using socket = await RawWebSocket.open(balancer.port, wire({ payload: ID }));
  assertEquals((await socket.frame())?.opcode, 8);
  await balancer.sweepUntilEnded(100, () => void socket.send(wire({ opcode: 9 })).catch(() => {}));
  await until(() => log.reasons().includes("idle"), "it is ended");
});

Deno.test("timeouts.idle: 0 means no limit", async () => {
  await using balancer = startSwept({ idle: 0, half_close: 100 });
  using _client = await balancer.join();
  for (let sweep = 0; sweep < 3; sweep++) balancer.sweepAfter(1000 * HOUR);
  assertEquals(balancer.kept(), [1]);
});
