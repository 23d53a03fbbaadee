/**
 * The TLV codec: pure functions over bytes, no sockets (docs/protocol.md).
 *
 * A frame is `type: u8 | length: u32 big-endian | value: length bytes`.
 */

import { concat } from "../util/bytes.ts";

/** Frame types. */
export const FrameType = { ID: 1, DATA: 2, ERROR: 3 } as const;

/** Bytes before the value. */
export const HEADER_BYTES = 5;

/** One frame. */
export interface Frame {
  readonly type: number;
  /** A view of the decoder's input if that contained the whole frame, else a copy. */
  readonly value: Uint8Array;
}

/** The reason why bytes are not a frame, or a value is not an ID. */
export type FrameProblem = "unknown_type" | "too_long" | "bad_id" | "bad_error";

/** Bytes that cannot start a frame of this protocol, or a value that its type does not allow. */
export class FrameError extends Error {
  override readonly name = "FrameError";
  readonly problem: FrameProblem;

  constructor(problem: FrameProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** A frame as bytes. */
export function encodeFrame(type: number, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + value.length);
  new DataView(bytes.buffer).setUint32(1, value.length);
  bytes[0] = type;
  bytes.set(value, HEADER_BYTES);
  return bytes;
}

/** The ID frame of a client. */
export function encodeId(id: string): Uint8Array<ArrayBuffer> {
  return encodeFrame(FrameType.ID, encoder.encode(id));
}

/** An ERROR frame: a code (u16 big-endian) and a human-readable text. */
export function encodeError(code: number, text: string): Uint8Array<ArrayBuffer> {
  const message = encoder.encode(text);
  const value = new Uint8Array(2 + message.length);
  new DataView(value.buffer).setUint16(0, code);
  value.set(message, 2);
  return encodeFrame(FrameType.ERROR, value);
}

/** The code and text in the value of an ERROR frame. */
export function decodeError(value: Uint8Array): { code: number; text: string } {
  if (value.length < 2) {
    throw new FrameError("bad_error", `an ERROR frame of ${value.length} bytes has no code`);
  }
  const code = new DataView(value.buffer, value.byteOffset).getUint16(0);
  return { code, text: new TextDecoder().decode(value.subarray(2)) };
}

/**
 * The ID in the value of an ID frame: at least one byte of UTF-8 and no control characters (C0, DEL, C1).
 *
 * @throws {FrameError} `bad_id`
 */
export function decodeId(value: Uint8Array): string {
  if (value.length === 0) throw new FrameError("bad_id", "the ID is empty");
  let id = value.length <= SHORT_BYTES ? printable(value) : undefined;
  if (id !== undefined) return id;
  try {
    id = utf8.decode(value);
  } catch {
    throw new FrameError("bad_id", "the ID is not UTF-8");
  }
  if (/\p{Cc}/u.test(id)) throw new FrameError("bad_id", "the ID contains a control character");
  return id;
}

/** Values up to this length are decoded faster by a loop than by the platform's decoder. */
const SHORT_BYTES = 24;

/** The text of `value` if it is printable ASCII, as most IDs are. */
function printable(value: Uint8Array): string | undefined {
  let text = "";
  for (const byte of value) {
    if (byte < 0x20 || byte >= 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Type and length of the frame at the start of `bytes`; undefined if they are incomplete. */
export function readHeader(bytes: Uint8Array): { type: number; length: number } | undefined {
  const [type] = bytes;
  if (type === undefined || bytes.length < HEADER_BYTES) return undefined;
  return { type, length: readLength(bytes, 0) };
}

/**
 * Decodes frames from a byte stream that is cut anywhere. It holds at most one incomplete frame and the last chunk, and
 * allocates nothing for a length before the bytes have arrived.
 *
 * The bytes passed to `push` must not change afterwards.
 */
export class FrameDecoder {
  readonly #maxValueBytes: number;
  #bytes: Uint8Array = NOTHING;
  /** Offset of the next frame in `#bytes`. */
  #at = 0;

  /** @param options.maxValueBytes Maximum length of a value. */
  constructor(options: { maxValueBytes: number }) {
    this.#maxValueBytes = options.maxValueBytes;
  }

  /** Bytes after the last frame returned. */
  get pending(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }

  /** The bytes pending before the last `push`, and those it added: the frames returned since, and `pending`. */
  get buffered(): Uint8Array {
    return this.#bytes;
  }

  push(chunk: Uint8Array): void {
    const { pending } = this;
    this.#at = 0;
    if (pending.length === 0) {
      this.#bytes = chunk;
      return;
    }
    this.#bytes = concat([pending, chunk]);
  }

  /**
   * The next whole frame; undefined if more bytes are needed.
   *
   * @throws {FrameError} `unknown_type` on the first byte of a frame, `too_long` on its header; further calls throw it
   *   again.
   */
  next(): Frame | undefined {
    const type = this.#bytes[this.#at];
    if (type === undefined) return undefined;
    if (type < FrameType.ID || type > FrameType.ERROR) {
      throw new FrameError("unknown_type", `unknown frame type 0x${type.toString(16).padStart(2, "0")}`);
    }
    const start = this.#at + HEADER_BYTES;
    if (this.#bytes.length < start) return undefined;
    const length = readLength(this.#bytes, this.#at);
    if (length > this.#maxValueBytes) {
      throw new FrameError(
        "too_long",
        `a value of ${length} bytes, over the maximum of ${this.#maxValueBytes}`,
      );
    }
    const end = start + length;
    if (this.#bytes.length < end) return undefined;
    this.#at = end;
    return { type, value: this.#bytes.subarray(start, end) };
  }
}

const NOTHING = new Uint8Array();

/** The length field of the frame at offset `at`. */
function readLength(bytes: Uint8Array, at: number): number {
  let length = 0;
  for (let index = at + 1; index < at + HEADER_BYTES; index++) length = length * 256 + (bytes[index] ?? 0);
  return length;
}
