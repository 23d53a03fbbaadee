/** WebSocket frames for tests, in which any bit can be wrong. */

import { WebSocketDecoder } from "../../../lib/transport/websocket/decoder.ts";
import { concat } from "../../bytes.ts";

/** The fields of a frame. The defaults make a complete binary message of a client. */
export interface Wire {
  readonly opcode?: number;
  readonly payload?: Uint8Array | readonly number[] | string;
  readonly fin?: boolean;
  /** The three reserved bits. */
  readonly rsv?: number;
  readonly masked?: boolean;
  readonly key?: readonly number[];
  /** The value of the length field, if it is not the length of the payload. */
  readonly length?: number | bigint;
  /** Bytes of the extended length, if it is not the shortest. */
  readonly width?: 0 | 2 | 8;
}

/** The bytes of a frame, masked byte by byte: a reference of its own, which shares nothing with the codec. */
export function wire(frame: Wire = {}): Uint8Array<ArrayBuffer> {
  const { opcode = 2, fin = true, rsv = 0, masked = true, key = [0x37, 0xfa, 0x21, 0x3d] } = frame;
  const payload = bytesOf(frame.payload ?? []);
  const length = BigInt(frame.length ?? payload.length);
  const width = frame.width ?? (length < 126n ? 0 : length < 65536n ? 2 : 8);
  const short = width === 0 ? Number(length) : width === 2 ? 126 : 127;
  const extended = Array.from(
    { length: width },
    (_, at) => Number((length >> BigInt(8 * (width - 1 - at))) & 0xffn),
  );
  return concat(
    Uint8Array.of((fin ? 0x80 : 0) | (rsv << 4) | opcode, (masked ? 0x80 : 0) | short, ...extended),
    Uint8Array.from(masked ? key : []),
    masked ? payload.map((byte, at) => byte ^ (key[at % 4] ?? 0)) : payload,
  );
}

/** The payload of a close frame. */
export function closing(code: number, reason: string | readonly number[] = ""): Uint8Array<ArrayBuffer> {
  return concat(Uint8Array.of(code >> 8, code & 0xff), bytesOf(reason));
}

function bytesOf(payload: Uint8Array | readonly number[] | string): Uint8Array<ArrayBuffer> {
  return typeof payload === "string" ? new TextEncoder().encode(payload) : Uint8Array.from(payload);
}

/** What a decoder makes of `chunks`: the payload, the latest ping of each chunk, and how it ended. */
export function decode(chunks: readonly Uint8Array[], masked = true) {
  const decoder = new WebSocketDecoder({ masked });
  const payload: number[] = [];
  const pings: number[][] = [];
  for (const chunk of chunks) {
    const bytes = chunk.slice();
    for (const byte of bytes.subarray(0, decoder.unwrap(bytes))) payload.push(byte);
    const ping = decoder.takePing();
    if (ping) pings.push([...ping]);
  }
  const { ending } = decoder;
  return {
    payload,
    pings,
    closed: ending?.kind === "closed" ? ending.code ?? "no code" : undefined,
    fault: ending?.kind === "malformed" ? ending.fault.code : undefined,
  };
}
