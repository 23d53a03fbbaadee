/** A reset (RST) from either side, by sockets of node:net: those of Deno cannot send one. */

import { connect, createServer, type Socket } from "node:net";
import { encodeId } from "../../lib/frame/tlv.ts";
import { assert, assertEquals } from "../assert.ts";
import {
  concat,
  configTo,
  receive,
  receiveAll,
  send,
  startBalancer,
  startUpstream,
  until,
} from "../harness.ts";
import { captureLog } from "../serving.ts";

const ID = encodeId("1");
const MIB = 1 << 20;

/** How long a reset may take to reach the other side, in milliseconds: a second, and two more where others are busy. */
const PASSED_ON_MS = 3000;

/** An upstream that resets each connection when the test says so. */
async function startResetting() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    /** Its one connection, once it is there. */
    async reached(): Promise<Socket> {
      await until(() => sockets.length === 1, "the upstream is reached");
      const [socket] = sockets;
      assert(socket);
      return socket;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A client that can reset its connection. */
async function connectResetting(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return socket;
}

/** Resets, and resolves once the socket is closed. */
async function reset(socket: Socket): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.resetAndDestroy();
  await closed;
}

/** How long `ending` takes, whether it succeeds or fails. */
async function timeOf(ending: Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await ending.catch(() => {});
  return performance.now() - begun;
}

/** Waits until `count` is over 0 and has not changed for 200 ms. */
async function untilStill(count: () => number, what: string): Promise<void> {
  let last = { count: 0, at: 0 };
  await until(() => {
    if (count() !== last.count) last = { count: count(), at: performance.now() };
    return last.count > 0 && performance.now() - last.at > 200;
  }, what);
}

Deno.test("a client's reset mid-stream ends its upstream, and is the log's reason", async () => {
  using log = captureLog();
  const reached = Promise.withResolvers<void>();
  let took = Infinity;
  await using upstream = startUpstream(async (conn) => {
    await receive(conn, ID.length + MIB);
    reached.resolve();
    took = await timeOf(receiveAll(conn));
  });
  await using balancer = startBalancer(configTo(upstream.port));
  const client = await connectResetting(balancer.port);
  client.write(concat(ID, new Uint8Array(MIB)));
  await reached.promise;
  await reset(client);
  await until(() => balancer.balancer.active === 0, "the connection is accounted for");
  await until(() => took < Infinity, "the upstream has seen the end");
  assert(took < PASSED_ON_MS, `passed on after ${took} ms`);
  assertEquals(log.reasons(), ["client_reset"]);
});

Deno.test("an upstream's reset mid-stream ends its client, and is the log's reason", async () => {
  using log = captureLog();
  await using upstream = await startResetting();
  await using balancer = startBalancer(configTo(upstream.port));
  using client = await balancer.connect();
  await send(client, ID);
  const socket = await upstream.reached();
  socket.write("some");
  assertEquals((await receive(client, 4)).length, 4);
  socket.resetAndDestroy();
  const took = await timeOf(receiveAll(client));
  assert(took < PASSED_ON_MS, `passed on after ${took} ms`);
  await until(() => balancer.balancer.active === 0, "the connection is accounted for");
  assertEquals(log.reasons(), ["upstream_reset"]);
});

Deno.test("a client that resets while it takes nothing ends an upstream that is held up by it", async () => {
  using log = captureLog();
  let sent = 0;
  let failed = false;
  await using upstream = startUpstream(async (conn) => {
    try {
      for (;;) sent += await conn.write(new Uint8Array(64 << 10));
    } catch (error) {
      failed = true;
      throw error;
    }
  });
  await using balancer = startBalancer(configTo(upstream.port));
  const client = await connectResetting(balancer.port);
  client.pause();
  client.write(ID);
  await untilStill(() => sent, "the upstream is held up");
  await reset(client);
  await until(() => failed && balancer.balancer.active === 0, "the upstream is let go", PASSED_ON_MS);
  assertEquals(log.reasons(), ["client_reset"]);
});

Deno.test("an upstream that resets while it takes nothing ends a client that is held up by it", async () => {
  using log = captureLog();
  await using upstream = await startResetting();
  await using balancer = startBalancer(configTo(upstream.port));
  using client = await balancer.connect();
  await send(client, ID);
  const socket = await upstream.reached();
  socket.pause();
  let sent = 0;
  let failed = false;
  const sending = (async () => {
    try {
      for (;;) sent += await client.write(new Uint8Array(64 << 10));
    } catch {
      failed = true;
    }
  })();
  await untilStill(() => sent, "the client is held up");
  socket.resetAndDestroy();
  await until(() => failed && balancer.balancer.active === 0, "the client is let go", PASSED_ON_MS);
  await sending;
  assertEquals(log.reasons(), ["upstream_reset"]);
});
