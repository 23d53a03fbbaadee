/** A WebSocket as a duplex: binary messages carry the bytes, cut anywhere (docs/protocol.md). */

import { acquire, release } from "../../util/buffer_pool.ts";
import { Refusal, type RefusalName } from "../../errors.ts";
import { BaseDuplex } from "../base_duplex.ts";
import type { Duplex } from "../duplex.ts";
import { lingeringClose } from "../linger.ts";
import { CloseCode, encodeClose, encodeShortFrame, HEADER_BYTES, Opcode, writeHeader } from "./frames.ts";
import { WebSocketDecoder } from "./decoder.ts";
import { Mutex } from "./mutex.ts";
import { mask } from "./masking.ts";
import { durationText } from "../../util/text.ts";

/**
 * How long a client may be silent after the server's close frame before its own is due (RFC 6455, section 7.1.1). It
 * may still be busy with earlier messages. Common clients ping every 20 to 25 seconds, and one that is cut off loses
 * all data that it has not read yet.
 */
const CLOSE_MS = 30_000;

/**
 * Messages of up to this many bytes are copied behind their header and sent in one write, which is cheaper than two.
 */
const COPIED_BYTES = 64 << 10;

/**
 * Maximum payload of a client's message, which is masked in a copy: with its header it fits the largest pooled buffer.
 */
const MASKED_BYTES = (256 << 10) - HEADER_BYTES;

/** The connection below a WebSocket. */
export type Carrier = Pick<Duplex, "read" | "write" | "close">;

/** Either end: only clients mask their frames (RFC 6455, section 5.3). */
export type Role = "client" | "server";

const NOTHING = new Uint8Array();

/** A WebSocket after its handshake. It owns the connection below. */
export class WebSocketDuplex extends BaseDuplex {
  readonly transport = "websocket";
  overhead = 0;
  keepalives = 0;
  readonly #carrier: Carrier;
  readonly #isClient: boolean;
  readonly #decoder: WebSocketDecoder;
  readonly #closeMs: number;
  readonly #reads = new Mutex();
  readonly #writes = new Mutex();
  #waiting = false;
  #closeSent = false;
  #faultTold = false;
  /** Whether a close frame of the client is due. A server answers a close frame once it has sent everything. */
  #closeDue = false;
  /** Runs while the client's close frame is due and no data arrives. */
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #late = false;

  /** @param options.closeMs How long to wait for the client's close frame, `CLOSE_MS` by default. */
  constructor(carrier: Carrier, role: Role, options: { closeMs?: number } = {}) {
    super();
    this.#carrier = carrier;
    this.#closeMs = options.closeMs ?? CLOSE_MS;
    this.#isClient = role === "client";
    this.#decoder = new WebSocketDecoder({ masked: role === "server" });
  }

  /**
   * Returns the payload of data messages. Null is the peer's close frame; without one, the connection has broken.
   *
   * @throws {Refusal} BAD_FRAME if the peer breaks the protocol; later reads drop the remaining data.
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    if (!this.#reads.tryTake()) await this.#reads.take();
    try {
      const again = this.readAgain(buffer);
      if (again > 0) {
        this.overhead = 0;
        return again;
      }
      for (;;) {
        if (this.#hasClosed()) return null;
        this.#wait();
        const count = await this.#carrier.read(buffer);
        this.#stopWaiting();
        if (count === null) throw new Deno.errors.UnexpectedEof("the WebSocket ended without a close frame");
        if (this.#faultTold) return count;
        const payload = this.#unwrap(buffer, count);
        if (payload > 0) return payload;
      }
    } catch (error) {
      this.#stopWaiting();
      throw this.#late
        ? new Deno.errors.TimedOut(`no close frame within ${durationText(this.#closeMs)}`)
        : error;
    } finally {
      this.#reads.release();
    }
  }

  /** Sends one binary message. Resolves once the connection has accepted all of it. */
  async write(bytes: Uint8Array): Promise<number> {
    if (bytes.length === 0) return await this.#carrier.write(bytes);
    if (!this.#writes.tryTake()) await this.#writes.take();
    try {
      if (this.#closeSent) throw new Deno.errors.BrokenPipe("the WebSocket is closed for sending");
      return await this.#send(bytes);
    } finally {
      this.#endWrite();
    }
  }

  /**
   * Sends the close frame. Its code is that of the peer's fault, else that of `reason`, else that of the peer's close
   * frame if it answers one (RFC 6455, section 5.5.1), else 1000.
   */
  async closeWrite(reason?: RefusalName): Promise<void> {
    if (!this.#writes.tryTake()) await this.#writes.take();
    try {
      if (this.#closeSent) return;
      this.#closeSent = true;
      await this.#sendAll(this.#closeFrame(CloseCode.NORMAL, reason));
      this.#closeDue = !this.#isClient;
      if (this.#waiting) this.#wait();
    } finally {
      this.#endWrite();
    }
  }

  /** First sends close frame 1001, if none has been sent and the connection accepts it at once. */
  close(): void {
    this.#stopWaiting();
    if (!this.#closeSent && !this.#writes.held) {
      this.#closeSent = true;
      // not awaited: if it is not accepted at once, the peer sees a truncated connection
      this.#carrier.write(this.#closeFrame(CloseCode.GOING_AWAY)).catch(() => {});
    }
    this.#carrier.close();
  }

  abort(): Promise<void> {
    return lingeringClose(this, NOTHING, "UPSTREAM_UNAVAILABLE");
  }

  /** Whether the peer's close frame has arrived; throws once if the peer broke the protocol. */
  #hasClosed(): boolean {
    const { ending } = this.#decoder;
    if (ending?.kind !== "malformed") return ending !== undefined;
    if (this.#faultTold) return false;
    this.#faultTold = true;
    throw new Refusal("BAD_FRAME", `WebSocket: ${ending.fault.message}`, { rejection: NOTHING });
  }

  #unwrap(buffer: Uint8Array, count: number): number {
    const payload = this.#decoder.unwrap(count < buffer.length ? buffer.subarray(0, count) : buffer);
    this.overhead = count - payload;
    // after our close frame only payload counts: pings could keep a half-closed connection open forever
    if (payload === 0 && !this.#closeSent) this.keepalives += 1;
    if (this.#decoder.pinged) void this.#pong();
    return payload;
  }

  #wait(): void {
    this.#waiting = true;
    if (!this.#closeDue || this.#deadline !== undefined) return;
    this.#deadline = setTimeout(() => {
      this.#late = true;
      this.#carrier.close();
    }, this.#closeMs);
  }

  #stopWaiting(): void {
    this.#waiting = false;
    if (this.#deadline === undefined) return;
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  async #send(bytes: Uint8Array): Promise<number> {
    if (!this.#isClient && bytes.length > COPIED_BYTES) {
      const header = new Uint8Array(HEADER_BYTES);
      await this.#sendAll(header.subarray(0, writeHeader(header, Opcode.BINARY, bytes.length)));
      await this.#sendAll(bytes);
      return bytes.length;
    }
    const payload = bytes.length > MASKED_BYTES ? bytes.subarray(0, MASKED_BYTES) : bytes;
    const buffer = acquire(HEADER_BYTES + payload.length);
    const key = this.#key();
    const start = writeHeader(buffer, Opcode.BINARY, payload.length, key);
    const end = start + payload.length;
    buffer.set(payload, start);
    if (key !== undefined) mask(buffer.subarray(start, end), key);
    await this.#sendAll(buffer.subarray(0, end));
    release(buffer);
    return payload.length;
  }

  async #sendAll(bytes: Uint8Array): Promise<void> {
    let done = await this.#carrier.write(bytes);
    while (done < bytes.length) done += await this.#carrier.write(bytes.subarray(done));
  }

  /** Only one pong is written at a time; of the pings that arrive meanwhile, the latest is answered. */
  async #pong(): Promise<void> {
    if (this.#closeSent || !this.#writes.tryTake()) return;
    try {
      const ping = this.#decoder.takePing();
      if (ping) await this.#sendAll(encodeShortFrame(Opcode.PONG, ping, this.#key()));
    } catch {
      // the connection has broken: the next read or write fails
    } finally {
      this.#endWrite();
    }
  }

  #endWrite(): void {
    this.#writes.release();
    if (this.#decoder.pinged) void this.#pong();
  }

  #closeFrame(otherwise: number, reason?: RefusalName): Uint8Array {
    const { ending } = this.#decoder;
    const key = this.#key();
    if (ending?.kind === "malformed") return encodeClose(ending.fault.code, ending.fault.message, key);
    if (reason !== undefined) return encodeClose(closeCodeOf(reason), "", key);
    return encodeClose(ending ? ending.code : otherwise, "", key);
  }

  /** An unpredictable masking key (RFC 6455, section 5.3); undefined for servers. */
  #key(): number | undefined {
    return this.#isClient ? crypto.getRandomValues(new Int32Array(1))[0] : undefined;
  }
}

/** The close code for an ERROR frame (docs/protocol.md). */
function closeCodeOf(reason: RefusalName): number {
  if (reason === "UPSTREAM_UNAVAILABLE") return CloseCode.INTERNAL_ERROR;
  if (reason === "LIMIT_EXCEEDED") return CloseCode.TRY_AGAIN_LATER;
  if (reason === "SHUTTING_DOWN") return CloseCode.GOING_AWAY;
  return CloseCode.POLICY_VIOLATION;
}
