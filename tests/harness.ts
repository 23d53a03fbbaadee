/** What tests of the whole path share: a balancer on a free port, upstreams of every temper, a patient client. */

import { connect } from "node:net";
import { concat as concatAll } from "../lib/util/bytes.ts";
import { Balancer, type BalancerOptions } from "../lib/balancer.ts";
import type { Config } from "../lib/config/config.ts";
import { emptyConfig } from "../lib/config/parse.ts";
import { decodeError, HEADER_BYTES } from "../lib/frame/tlv.ts";
import type { Duplex, Transport } from "../lib/transport/duplex.ts";
import { TcpDuplex } from "../lib/transport/tcp.ts";
import { connectWebSocket } from "../lib/transport/websocket/connect.ts";
import { assertEquals } from "./assert.ts";

/** What a test wants otherwise; in the groups `timeouts`, `limits` and `log` the other fields stay. */
export type Changes = {
  [Field in keyof Config]?: Field extends "timeouts" | "limits" | "log" ? Partial<Config[Field]>
    : Config[Field];
};

/** A configuration for tests: one listener on a free port of loopback, and ID 1 to `port`. */
export function configTo(port: number, changes: Changes = {}): Config {
  const defaults = emptyConfig();
  return {
    ...defaults,
    listeners: [{ address: { host: "127.0.0.1", port: 0 } }],
    routes: [{ id: "1", host: "127.0.0.1", port }],
    ...changes,
    timeouts: { ...defaults.timeouts, id: 2000, connect: 1000, ...changes.timeouts },
    limits: { ...defaults.limits, ...changes.limits },
    log: { ...defaults.log, ...changes.log },
  };
}

/** A client's end of a connection, whatever carries its bytes. */
export type Client = Pick<Duplex, "read" | "write" | "closeWrite" | "close"> & Disposable;

/** One test for each way in which a client can reach the balancer: what holds for one holds for the other. */
export function overEach(name: string, test: (transport: Transport) => Promise<void>): void {
  for (const transport of ["tcp", "websocket"] as const) {
    Deno.test(`${transport}: ${name}`, () => test(transport));
  }
}

/** A client of the balancer on `port`. */
export async function connectOver(transport: Transport, port: number): Promise<Client> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  if (transport === "tcp") return conn;
  const socket = await connectWebSocket(new TcpDuplex(conn), { host: { host: "127.0.0.1", port } });
  return Object.assign(socket, { [Symbol.dispose]: () => socket.close() });
}

/** A balancer, and a way to connect to it. */
export function startBalancer(config: Config, options?: BalancerOptions) {
  const balancer = Balancer.start(config, options);
  const [address] = balancer.addresses;
  if (!address) throw new Error("no listener");
  const { port } = address;
  return {
    balancer,
    port,
    connect: () => Deno.connect({ hostname: "127.0.0.1", port }),
    connectOver: (transport: Transport) => connectOver(transport, port),
    [Symbol.asyncDispose]: () => balancer.close(),
  };
}

/** An upstream that hands each connection to `serve` and closes it afterwards. @param onPort 0 for any free port. */
export function startUpstream(serve: (conn: Deno.TcpConn) => Promise<void>, onPort = 0) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: onPort });
  const running = new Set<Promise<void>>();
  const open = new Set<Deno.TcpConn>();
  const handle = async (conn: Deno.TcpConn) => {
    open.add(conn);
    try {
      await serve(conn);
    } catch {
      // the balancer ended the connection: what the test then sees on the client's side is what it asserts
    } finally {
      conn[Symbol.dispose]();
      open.delete(conn);
    }
  };
  const accepting = (async () => {
    try {
      for (;;) {
        const work = handle(await listener.accept());
        running.add(work);
        void work.finally(() => running.delete(work));
      }
    } catch {
      // closed
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const conn of open) conn[Symbol.dispose]();
      await Promise.all(running);
    },
  };
}

/** An upstream that sends back what it gets. */
export function startEcho(onPort = 0) {
  return startUpstream(async (conn) => {
    const buffer = new Uint8Array(64 << 10);
    for (let count; (count = await conn.read(buffer)) !== null;) await send(conn, buffer.subarray(0, count));
  }, onPort);
}

/** Writes all of `bytes`. */
export async function send(conn: Pick<Client, "write">, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await conn.write(bytes.subarray(done));
}

/** Everything up to EOF. */
export async function receiveAll(conn: Pick<Client, "read">): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = new Uint8Array(64 << 10);
    const count = await conn.read(chunk);
    if (count === null) return concat(...chunks);
    chunks.push(chunk.subarray(0, count));
  }
}

/** Exactly `length` bytes, or fewer where the stream ends before. */
export async function receive(conn: Pick<Client, "read">, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let done = 0;
  for (let count; done < length && (count = await conn.read(bytes.subarray(done))) !== null;) done += count;
  return bytes.subarray(0, done);
}

/** The code of the ERROR frame that is all a client has received. */
export function refusalCode(received: Uint8Array): number {
  assertEquals(received[0], 3);
  const length = new DataView(received.buffer, received.byteOffset).getUint32(1);
  assertEquals(received.length, HEADER_BYTES + length);
  return decodeError(received.subarray(HEADER_BYTES)).code;
}

/** The parts one after another. */
export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concatAll(parts);
}

/** Pseudo-random bytes, the same for the same seed. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed;
  for (let at = 0; at < words.length; at++) words[at] = state = Math.imul(state, 1664525) + 1013904223;
  return new Uint8Array(words.buffer, 0, length);
}

/** SHA-256 in hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Waits until `condition` holds, at most `ms`. */
export async function until(condition: () => boolean, what: string, ms = 5000): Promise<void> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Connects, and resets the connection with a RST instead of closing it. */
export async function connectAndReset(port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(port, "127.0.0.1", () => socket.resetAndDestroy());
  socket.once("error", reject);
  socket.once("close", () => resolve());
  await promise;
}
