/**
 * The framing of RFC 6455, section 5: pure functions over bytes, no sockets.
 *
 * Payload is passed on as it comes: no message and no frame is ever put together, so a length sets nothing aside.
 */

import { mask } from "./masking.ts";

/** Opcodes (section 5.2). */
export const Opcode = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

/** Status codes of a close frame (section 7.4.1, and IANA's registry for 1013). */
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

/** Longest header: two bytes, a length of eight, a masking key (section 5.2). */
export const HEADER_BYTES = 14;

/** What the peer sent is not WebSocket as this end speaks it: the connection is failed with `code` (section 7.1.7). */
export class WebSocketFault extends Error {
  override readonly name = "WebSocketFault";
  /** Status code for the close frame. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** How the peer's stream came to its end: with a close frame, whose code may be missing, or with a fault. */
export type Ending =
  | { readonly kind: "closed"; readonly code: number | undefined }
  | { readonly kind: "malformed"; readonly fault: WebSocketFault };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Where in a frame the next byte stands. */
const enum At {
  FIRST,
  SECOND,
  LENGTH,
  KEY,
  PAYLOAD,
}

/**
 * Takes frames off a stream of bytes that is cut anywhere. Between calls it holds a header at most, and the payload of
 * one control frame.
 */
export class FrameDecoder {
  /** Set at the end of the stream; what comes behind it is ignored. */
  ending: Ending | undefined;
  readonly #masked: boolean;
  #at: At = At.FIRST;
  #opcode = 0;
  #final = false;
  /** True between the first and the last frame of a message. */
  #inMessage = false;
  #length = 0;
  /** Bytes of the length or the key still to come. */
  #missing = 0;
  /** Lowest length that the width of the length field may state. */
  #least = 0;
  /** The masking key, turned so that its lowest byte is for the next byte of payload. */
  #key = 0;
  #control: Uint8Array | undefined;
  #controlBytes = 0;
  #ping: Uint8Array | undefined;

  /** @param options.masked Whether the peer's frames are masked: those of clients must be, those of servers must not. */
  constructor(options: { masked: boolean }) {
    this.#masked = options.masked;
  }

  /**
   * Takes the framing out of `bytes`, in place, and says how many bytes of payload now stand at their start. Fewer
   * than were given is no end: more may follow, unless `ending` is set.
   */
  unwrap(bytes: Uint8Array): number {
    let from = 0;
    let payload = 0;
    while (from < bytes.length && !this.ending) {
      if (this.#at !== At.PAYLOAD) {
        this.#header(bytes[from++] ?? 0);
        continue;
      }
      const count = Math.min(this.#length, bytes.length - from);
      const part = bytes.subarray(from, from + count);
      if (this.#masked) this.#key = mask(part, this.#key);
      if (this.#opcode >= Opcode.CLOSE) this.#keep(part);
      else {
        if (from !== payload) bytes.copyWithin(payload, from, from + count);
        payload += count;
      }
      from += count;
      this.#length -= count;
      if (this.#length === 0) this.#end();
    }
    return payload;
  }

  /** Whether a ping came that `takePing` has not given yet. */
  get pinged(): boolean {
    return this.#ping !== undefined;
  }

  /** The payload of the latest ping, once: an answer to it answers those before it too (section 5.5.3). */
  takePing(): Uint8Array | undefined {
    const ping = this.#ping;
    this.#ping = undefined;
    return ping;
  }

  #header(byte: number): void {
    if (this.#at === At.FIRST) this.#first(byte);
    else if (this.#at === At.SECOND) this.#second(byte);
    else if (this.#at === At.LENGTH) this.#lengthByte(byte);
    else {
      this.#key = (this.#key >>> 8) | (byte << 24);
      if (--this.#missing === 0) this.#payload();
    }
  }

  #first(byte: number): void {
    this.#opcode = byte & 0x0f;
    this.#final = (byte & 0x80) !== 0;
    const fault = (byte & 0x70) !== 0
      ? malformed(`reserved bits are set in a frame that begins with ${hex(byte)}`)
      : this.#opcodeFault();
    if (fault) this.#fail(fault);
    else this.#at = At.SECOND;
  }

  #opcodeFault(): WebSocketFault | undefined {
    if (this.#opcode >= Opcode.CLOSE) {
      if (this.#opcode > Opcode.PONG) return malformed(`unknown opcode ${hex(this.#opcode)}`);
      return this.#final ? undefined : malformed("a control frame is fragmented");
    }
    if (this.#opcode > Opcode.BINARY) return malformed(`unknown opcode ${hex(this.#opcode)}`);
    if (this.#inMessage !== (this.#opcode === Opcode.CONTINUATION)) {
      return malformed(
        this.#inMessage ? "a new message inside a fragmented one" : "a continuation of no message",
      );
    }
    if (this.#opcode !== Opcode.TEXT) return undefined;
    return new WebSocketFault(CloseCode.UNSUPPORTED_DATA, "a text message; frames travel in binary messages");
  }

  #second(byte: number): void {
    const length = byte & 0x7f;
    if (((byte & 0x80) !== 0) !== this.#masked) {
      return this.#fail(
        malformed(this.#masked ? "a client's frame is not masked" : "a server's frame is masked"),
      );
    }
    if (this.#opcode >= Opcode.CLOSE && length > CONTROL_BYTES) {
      return this.#fail(malformed(`a control frame of more than ${CONTROL_BYTES} bytes`));
    }
    this.#length = length < 126 ? length : 0;
    this.#missing = length < 126 ? 0 : length === 126 ? 2 : 8;
    this.#least = length < 126 ? 0 : length === 126 ? 126 : 65536;
    if (this.#missing === 0) this.#lengthEnd();
    else this.#at = At.LENGTH;
  }

  #lengthByte(byte: number): void {
    if (this.#missing === 8 && byte >= 0x80) return this.#fail(malformed("a length of 2^63 or more"));
    this.#length = this.#length * 256 + byte;
    if (--this.#missing > 0) return;
    if (this.#length > Number.MAX_SAFE_INTEGER) {
      this.#fail(new WebSocketFault(CloseCode.TOO_BIG, "a frame of 2^53 bytes or more"));
    } else if (this.#length < this.#least) {
      this.#fail(malformed(`a length of ${this.#length} in more bytes than it needs`));
    } else this.#lengthEnd();
  }

  #lengthEnd(): void {
    if (!this.#masked) return this.#payload();
    this.#at = At.KEY;
    this.#missing = 4;
  }

  #payload(): void {
    this.#at = At.PAYLOAD;
    this.#controlBytes = 0;
    if (this.#length === 0) this.#end();
  }

  #keep(part: Uint8Array): void {
    this.#control ??= new Uint8Array(CONTROL_BYTES);
    this.#control.set(part, this.#controlBytes);
    this.#controlBytes += part.length;
  }

  #end(): void {
    this.#at = At.FIRST;
    if (this.#opcode < Opcode.CLOSE) this.#inMessage = !this.#final;
    else if (this.#opcode !== Opcode.PONG) {
      const content = this.#control?.slice(0, this.#controlBytes) ?? NOTHING;
      if (this.#opcode === Opcode.PING) this.#ping = content;
      else this.ending = readClose(content);
    }
  }

  #fail(fault: WebSocketFault): void {
    this.ending = { kind: "malformed", fault };
  }
}

const NOTHING = new Uint8Array();

function malformed(message: string): WebSocketFault {
  return new WebSocketFault(CloseCode.PROTOCOL_ERROR, message);
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

/** The payload of a close frame: nothing, or a code and a reason in UTF-8 (section 5.5.1). */
function readClose(content: Uint8Array): Ending {
  const [high, low] = content;
  if (high === undefined) return { kind: "closed", code: undefined };
  if (low === undefined) return { kind: "malformed", fault: malformed("a close frame with half a code") };
  const code = high * 256 + low;
  if (!mayBeSent(code)) return { kind: "malformed", fault: malformed(`a close frame with the code ${code}`) };
  try {
    utf8.decode(content.subarray(2));
  } catch {
    return { kind: "malformed", fault: malformed("a close frame whose reason is not UTF-8") };
  }
  return { kind: "closed", code };
}

/** Whether a close frame may carry `code` (section 7.4): 1004 to 1006 and 1015 are reserved, as all without a meaning. */
function mayBeSent(code: number): boolean {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/**
 * Writes the header of a final frame to the start of `target`, and says how many bytes it takes.
 *
 * @param key Masking key, lowest byte first; servers send without (section 5.1).
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

/** A whole final frame, for what is short. */
export function encodeFrame(opcode: number, payload: Uint8Array, key?: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  const start = writeHeader(frame, opcode, payload.length, key);
  frame.set(payload, start);
  const end = start + payload.length;
  if (key !== undefined) mask(frame.subarray(start, end), key);
  return frame.subarray(0, end);
}

/** A close frame; without a code it is empty. The reason is cut to what fits. */
export function encodeClose(code: number | undefined, reason = "", key?: number): Uint8Array<ArrayBuffer> {
  if (code === undefined) return encodeFrame(Opcode.CLOSE, NOTHING, key);
  const content = new Uint8Array(CONTROL_BYTES);
  new DataView(content.buffer).setUint16(0, code);
  const { written } = new TextEncoder().encodeInto(reason, content.subarray(2));
  return encodeFrame(Opcode.CLOSE, content.subarray(0, 2 + written), key);
}
