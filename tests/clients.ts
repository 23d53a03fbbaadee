/** Clients of a balancer over each transport, and the ERROR frames that refused ones receive. */

import { connect } from "node:net";
import { decodeError, encodeId, HEADER_BYTES } from "../lib/frame/tlv.ts";
import type { Duplex, Transport } from "../lib/transport/duplex.ts";
import { type Socket, TcpDuplex } from "../lib/transport/tcp.ts";
import { connectWebSocket } from "../lib/transport/websocket/connect.ts";
import { assertEquals } from "./assert.ts";
import { receive, receiveAll, send } from "./bytes.ts";

/** A client's end of a connection, over any transport. */
export type Client = Pick<Duplex, "read" | "write" | "closeWrite" | "close"> & Disposable;

/** A client of the balancer on `port`. */
export async function connectOver(transport: Transport, port: number): Promise<Client> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  return transport === "tcp" ? conn : await webSocketOver(conn, port);
}

/** A WebSocket over a connection to the balancer on `port`, which may be one with TLS. */
export async function webSocketOver(conn: Deno.TcpConn | Deno.TlsConn, port: number): Promise<Client> {
  const below: Socket = {
    read: (buffer) => conn.read(buffer),
    write: (bytes) => conn.write(bytes),
    closeWrite: () => conn.closeWrite(),
    setNoDelay: () => {}, // a connection with TLS has no such method
    [Symbol.dispose]: () => conn[Symbol.dispose](),
  };
  const socket = await connectWebSocket(new TcpDuplex(below), { host: { host: "localhost", port } });
  return Object.assign(socket, { [Symbol.dispose]: () => socket.close() });
}

/** Sends the ID frame of `id`. */
export async function sendId(client: Pick<Client, "write">, id: string): Promise<void> {
  await send(client, encodeId(id));
}

/** Connects, and resets the connection with a RST instead of closing it. */
export async function connectAndReset(port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(port, "127.0.0.1", () => socket.resetAndDestroy());
  socket.once("error", reject);
  socket.once("close", () => resolve());
  await promise;
}

/** The code of the ERROR frame. Asserts that a client has received nothing else. */
export function refusalCode(received: Uint8Array): number {
  assertEquals(received[0], 3);
  const length = new DataView(received.buffer, received.byteOffset).getUint32(1);
  assertEquals(received.length, HEADER_BYTES + length);
  return decodeError(received.subarray(HEADER_BYTES)).code;
}

/** Sends the ID, and asserts that an echoing upstream has received it. */
export async function identify(client: Pick<Client, "read" | "write">, id = "1"): Promise<void> {
  const frame = encodeId(id);
  await send(client, frame);
  assertEquals(await receive(client, frame.length), frame);
}

/** Sends the ID, and returns the code of the ERROR frame that is the answer. */
export async function refused(client: Pick<Client, "read" | "write">, id = "1"): Promise<number> {
  await sendId(client, id);
  return refusalCode(await receiveAll(client));
}

/** The name with which the upstream of `id` answers. */
export async function named({ connect }: { connect(): Promise<Client> }, id: string): Promise<string> {
  const client = await connect();
  await sendId(client, id);
  const received = await receiveAll(client);
  client.close();
  return new TextDecoder().decode(received);
}
