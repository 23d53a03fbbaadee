/** Sockets of node:net, which can reset a connection (RST), unlike those of Deno. */

import { connect, createServer, type Socket } from "node:net";
import { assert } from "../assert.ts";
import { until } from "../wait.ts";

/** An upstream whose connections a test can reset. */
export async function startResetting() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    /** Resolves to its only connection once there is one. */
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
export async function connectResetting(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return socket;
}

/** Resets, and resolves once the socket is closed. */
export async function reset(socket: Socket): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.resetAndDestroy();
  await closed;
}

/** Waits until `count` is over 0 and has not changed for 200 ms. */
export async function untilStill(count: () => number, what: string): Promise<void> {
  let last = { count: 0, at: 0 };
  await until(() => {
    if (count() !== last.count) last = { count: count(), at: performance.now() };
    return last.count > 0 && performance.now() - last.at > 200;
  }, what);
}

/** Sends without end. Returns a function for the number of bytes that were accepted. */
export function sendOn(socket: Socket): () => number {
  let taken = 0;
  const sendNext = () => {
    const chunk = new Uint8Array(64 << 10);
    socket.write(chunk, (error) => {
      if (error) return;
      taken += chunk.length;
      sendNext();
    });
  };
  sendNext();
  return () => taken;
}
