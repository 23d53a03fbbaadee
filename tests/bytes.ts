/** Test data, and sending and receiving it whole. */

import { encodeId } from "../lib/frame/tlv.ts";
import type { Duplex } from "../lib/transport/duplex.ts";
import { concat as concatAll } from "../lib/util/bytes.ts";

/** The ID frame of ID 1, for which `configTo` has a route. */
export const ID = encodeId("1");

/** Writes all of `bytes`. */
export async function send(conn: Pick<Duplex, "write">, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await conn.write(bytes.subarray(done));
}

/** Exactly `length` bytes, or fewer if the stream ends before. */
export async function receive(conn: Pick<Duplex, "read">, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let done = 0;
  for (let count; done < length && (count = await conn.read(bytes.subarray(done))) !== null;) done += count;
  return bytes.subarray(0, done);
}

/** Everything up to EOF. */
export async function receiveAll(conn: Pick<Duplex, "read">): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = new Uint8Array(64 << 10);
    const count = await conn.read(chunk);
    if (count === null) return concat(...chunks);
    chunks.push(chunk.subarray(0, count));
  }
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
