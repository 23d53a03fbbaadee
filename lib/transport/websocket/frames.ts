/** Encodes frames of RFC 6455, section 5: pure, no sockets. */

import { mask } from "./masking.ts";

/** Opcodes (section 5.2). */
export const Opcode = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

/** Status codes of a close frame (section 7.4.1; 1013 is from IANA's registry). */
export const CloseCode = {
  NORMAL: 1000,
  GOING_AWAY: 1001,
  PROTOCOL_ERROR: 1002,
  UNSUPPORTED_DATA: 1003,
  POLICY_VIOLATION: 1008,
  TOO_BIG: 1009,
  INTERNAL_ERROR: 1011,
  TRY_AGAIN_LATER: 1013,
} as const;

/** Longest payload of a control frame (section 5.5). */
export const CONTROL_BYTES = 125;

/** Longest header: two bytes, an eight-byte length, a masking key (section 5.2). */
export const HEADER_BYTES = 14;

/**
 * Writes the header of a final frame to the start of `target`. Returns its length in bytes.
 *
 * @param key Masking key, lowest byte first; undefined for servers (section 5.1).
 */
export function writeHeader(target: Uint8Array, opcode: number, length: number, key?: number): number {
  const masked = key === undefined ? 0 : 0x80;
  target[0] = 0x80 | opcode;
  let at = 2;
  if (length < 126) target[1] = masked | length;
  else {
    const width = length < 65536 ? 2 : 8;
    target[1] = masked | (width === 2 ? 126 : 127);
    for (let rest = length, place = at + width; place-- > at; rest = Math.floor(rest / 256)) {
      target[place] = rest;
    }
    at += width;
  }
  if (key === undefined) return at;
  for (let shift = 0; shift < 32; shift += 8) target[at++] = key >>> shift;
  return at;
}

/** A whole final frame around a short payload. */
export function encodeShortFrame(opcode: number, payload: Uint8Array, key?: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  const start = writeHeader(frame, opcode, payload.length, key);
  frame.set(payload, start);
  const end = start + payload.length;
  if (key !== undefined) mask(frame.subarray(start, end), key);
  return frame.subarray(0, end);
}

/** A close frame; without a code it is empty. The reason is truncated to fit. */
export function encodeClose(code: number | undefined, reason = "", key?: number): Uint8Array<ArrayBuffer> {
  if (code === undefined) return encodeShortFrame(Opcode.CLOSE, new Uint8Array(), key);
  const content = new Uint8Array(CONTROL_BYTES);
  new DataView(content.buffer).setUint16(0, code);
  const { written } = new TextEncoder().encodeInto(reason, content.subarray(2));
  return encodeShortFrame(Opcode.CLOSE, content.subarray(0, 2 + written), key);
}
