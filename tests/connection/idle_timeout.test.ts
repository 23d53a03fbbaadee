import { encodeId } from "../../lib/frame/tlv.ts";
import { assertEquals, assertGreater } from "../assert.ts";
import { receive, receiveAll, send } from "../bytes.ts";
import { configTo, overEach, startBalancer, startEchoing } from "../fixture.ts";
import { startUpstream } from "../upstreams.ts";
import { until } from "../wait.ts";
import { RawWebSocket } from "../transport/websocket/raw.ts";
import { wire } from "../transport/websocket/wire.ts";
import { captureLog } from "../serving.ts";

const ID = encodeId("1");
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

overEach("timeouts.idle ends a connection on which nothing moves, and no other", async (transport) => {
  await using balancer = startEchoing({ timeouts: { idle: 400 } });
  using log = captureLog();
  using quiet = await balancer.connectOver(transport);
  using lively = await balancer.connectOver(transport);
  for (const client of [quiet, lively]) {
    await send(client, ID);
    await receive(client, ID.length);
  }
  const began = performance.now();
  const ended = receiveAll(quiet).then(() => performance.now() - began);
  for (let beat = 0; beat < 16; beat++) {
    await send(lively, Uint8Array.of(beat));
    assertEquals(await receive(lively, 1), Uint8Array.of(beat));
    await pause(50);
  }
  assertGreater(await ended, 395, "never early");
  assertEquals(log.reasons(), ["idle"]);
  await until(() => balancer.balancer.active === 1, "the lively one is all that is left");
});

overEach("bytes in one direction alone keep a connection from being idle", async (transport) => {
  await using upstream = startUpstream(async (conn) => {
    for (let beat = 0; beat < 16; beat++) {
      await send(conn, Uint8Array.of(beat));
      await pause(50);
    }
  });
  await using balancer = startBalancer(configTo(upstream.port, { timeouts: { idle: 400 } }));
  using client = await balancer.connectOver(transport);
  await send(client, ID);
  assertEquals((await receiveAll(client)).length, 16);
});

for (const first of ["client", "upstream"] as const) {
  Deno.test(`timeouts.half_close ends a connection whose ${first} has finished and whose other side is quiet`, async () => {
    const released = Promise.withResolvers<void>();
    await using upstream = startUpstream(async (conn) => {
      if (first === "upstream") await conn.closeWrite();
      await receiveAll(conn);
      if (first === "client") await released.promise;
    });
    await using balancer = startBalancer(configTo(upstream.port, { timeouts: { half_close: 200 } }));
    using log = captureLog();
    using client = await balancer.connect();
    using whole = await balancer.connect();
    await send(client, ID);
    if (first === "client") await client.closeWrite();
    await receiveAll(client);
    await until(() => log.reasons().includes("idle"), "it is ended");
    if (first === "client") {
      await send(whole, ID);
      await until(() => balancer.balancer.active === 1, "one that is open both ways goes on");
      await pause(500);
      assertEquals(balancer.balancer.active, 1);
    }
    released.resolve();
  });
}

Deno.test("a half-closed connection that still moves goes on", async () => {
  await using upstream = startUpstream(async (conn) => {
    await receiveAll(conn);
    for (let beat = 0; beat < 12; beat++) {
      await send(conn, Uint8Array.of(beat));
      await pause(50);
    }
  });
  await using balancer = startBalancer(configTo(upstream.port, { timeouts: { half_close: 300 } }));
  using client = await balancer.connect();
  await send(client, ID);
  await client.closeWrite();
  assertEquals((await receiveAll(client)).length, 12);
});

Deno.test("pings keep a WebSocket from being idle", async () => {
  await using balancer = startEchoing({ timeouts: { idle: 400 } });
  using socket = await RawWebSocket.open(balancer.port, wire({ payload: ID }));
  assertEquals((await socket.frame())?.payload, ID);
  for (let beat = 0; beat < 16; beat++) {
    await socket.send(wire({ opcode: 9, payload: [beat] }));
    assertEquals((await socket.frame())?.payload, Uint8Array.of(beat));
    await pause(50);
  }
  assertEquals((await socket.rest()).code, 1001, "without them it is ended");
});

Deno.test("pings do not keep a WebSocket whose upstream has finished from timeouts.half_close", async () => {
  await using upstream = startUpstream(async (conn) => {
    await conn.closeWrite();
    await receiveAll(conn);
  });
  await using balancer = startBalancer(configTo(upstream.port, { timeouts: { half_close: 300 } }));
  using log = captureLog();
  using socket = await RawWebSocket.open(balancer.port, wire({ payload: ID }));
  assertEquals((await socket.frame())?.opcode, 8);
  const pinging = (async () => {
    try {
      for (;;) {
        await socket.send(wire({ opcode: 9 }));
        await pause(50);
      }
    } catch {
      // ended
    }
  })();
  await until(() => log.reasons().includes("idle"), "it is ended");
  await pinging;
});

Deno.test("an idle time of 0 is no limit", async () => {
  const timeouts = { idle: 0, half_close: 100 };
  await using balancer = startEchoing({ timeouts });
  using client = await balancer.connect();
  await send(client, ID);
  await receive(client, ID.length);
  await pause(400);
  assertEquals(balancer.balancer.active, 1);
});
