/**
 * Parses the frames of RFC 6455, section 5: pure, no sockets.
 *
 * Payload is passed on as it arrives: neither messages nor frames are reassembled, so no length causes an allocation.
 */

import { CloseCode, CONTROL_BYTES, Opcode } from "./frames.ts";
import { mask } from "./masking.ts";

const NOTHING = new Uint8Array();

/** The peer broke the protocol: the connection must be failed with `code` (section 7.1.7). */
export class WebSocketFault extends Error {
  override readonly name = "WebSocketFault";
  /** Status code for the close frame. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The end of a peer's stream: a close frame, whose code may be missing, or a fault. */
export type StreamEnd =
  | { readonly kind: "closed"; readonly code: number | undefined }
  | { readonly kind: "malformed"; readonly fault: WebSocketFault };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The parser's state: the part of a frame that the next byte belongs to. */
const enum At {
  FIRST,
  SECOND,
  LENGTH,
  KEY,
  PAYLOAD,
}

/**
 * Parses a stream of frames that is cut anywhere. Between calls it holds at most a header and the payload of one
 * control frame.
 */
export class WebSocketDecoder {
  /** Set at the end of the stream; anything after it is ignored. */
  ending: StreamEnd | undefined;
  readonly #masked: boolean;
  #at: At = At.FIRST;
  #opcode = 0;
  #final = false;
  /** True between the first and the last frame of a message. */
  #inMessage = false;
  #length = 0;
  /** Remaining bytes of the length or the key. */
  #missing = 0;
  /** Minimum length that may be encoded in this width. */
  #least = 0;
  /** The masking key, rotated so that its lowest byte applies to the next byte of payload. */
  #key = 0;
  /** The payload of the current control frame. */
  #control: Uint8Array | undefined;
  #controlBytes = 0;
  /** The payload of the latest ping in the first `#pingBytes` bytes; -1 if no ping is unanswered. */
  #ping: Uint8Array | undefined;
  #pingBytes = -1;

  /** @param options.masked Whether the peer must mask its frames, as clients do, or must not. */
  constructor(options: { masked: boolean }) {
    this.#masked = options.masked;
  }

  /**
   * Strips the framing from `bytes` in place, and returns the number of payload bytes, which are moved to their start.
   * Fewer than were given is not an end: more may follow, unless `ending` is set.
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

  /** Whether `takePing` has a ping to return. */
  get pinged(): boolean {
    return this.#pingBytes >= 0;
  }

  /** Returns the payload of the latest ping once: its answer also answers earlier pings (section 5.5.3). */
  takePing(): Uint8Array | undefined {
    if (!this.pinged) return undefined;
    const ping = this.#ping?.slice(0, this.#pingBytes) ?? NOTHING;
    this.#pingBytes = -1;
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
    return new WebSocketFault(CloseCode.UNSUPPORTED_DATA, "a text message; send frames in binary messages");
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
      this.#fail(malformed(`a length of ${this.#length} is not minimally encoded`));
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
    else if (this.#opcode === Opcode.PING) this.#keepPing();
    else if (this.#opcode === Opcode.CLOSE) {
      this.ending = readClose(this.#control?.subarray(0, this.#controlBytes) ?? NOTHING);
    }
  }

  /** Swaps two buffers instead of allocating one: a flood of pings allocates nothing for payloads. */
  #keepPing(): void {
    [this.#ping, this.#control] = [this.#control, this.#ping];
    this.#pingBytes = this.#controlBytes;
  }

  #fail(fault: WebSocketFault): void {
    this.ending = { kind: "malformed", fault };
  }
}

function malformed(message: string): WebSocketFault {
  return new WebSocketFault(CloseCode.PROTOCOL_ERROR, message);
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

/** Parses the payload of a close frame: empty, or a code and a reason in UTF-8 (section 5.5.1). */
function readClose(content: Uint8Array): StreamEnd {
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

/** Whether a close frame may carry `code` (section 7.4): unassigned ones, 1004 to 1006 and 1015 are reserved. */
function mayBeSent(code: number): boolean {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}
