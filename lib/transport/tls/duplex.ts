/** A TLS connection as a duplex: the server's side or the client's. */

import type { TLSSocket } from "node:tls";
import type { Duplex as NodeDuplex } from "node:stream";
import { isDisconnect, messageOf } from "../../errors.ts";
import { withAdvice } from "./advice.ts";
import { ReadBuffer } from "../../util/buffer_pool.ts";
import { BaseDuplex } from "../base_duplex.ts";
import type { Duplex } from "../duplex.ts";
import { Inbox } from "./inbox.ts";
import { Wire } from "./wire.ts";

/** Maximum number of bytes encrypted at a time: three full records, which node:tls writes in one piece. */
const PIECE_BYTES = 48 << 10;

/** A failed handshake. The client cannot be sent more than the TLS alert that it has received. */
export class HandshakeError extends Error {
  override readonly name = "HandshakeError";
  /** Whether the peer has ended it: by an alert of its own, a FIN or a reset. */
  readonly byPeer: boolean;

  constructor(cause: unknown) {
    super(`TLS handshake: ${withAdvice(messageOf(cause))}`, { cause });
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    this.byPeer = isDisconnect(cause) || code.includes("_ALERT_");
  }
}

/** How TLS starts over a stream. */
export interface TlsBeginning {
  /** The event that ends the handshake. */
  readonly opened: "secure" | "secureConnect";
  readonly begin: (stream: NodeDuplex) => TLSSocket;
  /** Returns the subject of the peer's certificate, if it has one. @throws if the peer is refused */
  readonly checkPeer?: (socket: TLSSocket) => string | undefined;
}

/**
 * Reads decrypt on demand: records are read from below only while a caller waits for bytes, one read at a time. So
 * backpressure passes through, at most one read's worth of plain bytes is kept, and the TLSSocket always flows. (Pausing
 * one in its `data` event can lose `end`.)
 *
 * `closeWrite` sends a close_notify (RFC 8446, section 6.1) before the FIN. `close` and `abort` do not, so the peer can
 * tell a truncated stream from a complete one; a truncation by the peer fails a read with `UnexpectedEof`.
 */
export class TlsDuplex extends BaseDuplex {
  readonly transport = "tcp";
  readonly secure = true;
  readonly #raw: Duplex;
  readonly #wire: Wire;
  readonly #tls: TLSSocket;
  readonly #checkPeer: TlsBeginning["checkPeer"];
  readonly #buffer = new ReadBuffer();
  readonly #inbox = new Inbox();
  readonly #writes = new Set<(error: Error) => void>();
  readonly #opened = Promise.withResolvers<void>();
  #established = false;
  #pulling = false;
  #closed = false;
  #writeFailure: Error | undefined;

  /**
   * @param raw Carries the records. The duplex owns it.
   */
  constructor(raw: Duplex, { opened, begin, checkPeer }: TlsBeginning) {
    super();
    this.#checkPeer = checkPeer;
    this.#raw = raw;
    this.#wire = new Wire(raw, (error) => this.#failWrites(error));
    this.#tls = begin(this.#wire.stream);
    this.#opened.promise.catch(() => {}); // handled where the handshake is awaited
    this.#tls.once(opened, () => {
      this.#established = true;
      this.#opened.resolve();
    });
    this.#tls.on("data", (bytes: Uint8Array) => this.#inbox.add(bytes));
    this.#tls.on("end", () => this.#end());
    this.#tls.on("error", (error: Error) => this.#fail(error));
  }

  /**
   * Subject of the peer's certificate, if one was requested and sent.
   *
   * @throws {Refusal} FORBIDDEN if it is not valid
   */
  checkPeer(): string | undefined {
    return this.#checkPeer?.(this.#tls);
  }

  /** @throws {HandshakeError} */
  async handshake(): Promise<void> {
    try {
      // invalid records that arrive before node:tls has started, one tick later, would end the process
      await nextTurn();
      void this.#pull();
      await this.#opened.promise;
    } catch (error) {
      throw new HandshakeError(error);
    }
  }

  read(buffer: Uint8Array): Promise<number | null> {
    const again = this.readAgain(buffer);
    if (again > 0) return Promise.resolve(again);
    const reading = this.#inbox.read(buffer);
    if (this.#inbox.wanted) void this.#pull();
    return reading;
  }

  /** Fails during the handshake: a rejection must not wait for a peer that never completes it. */
  write(bytes: Uint8Array): Promise<number> {
    const failure = this.#writeProblem();
    if (failure) return Promise.reject(failure);
    if (bytes.length === 0) return this.#raw.write(bytes);
    const piece = bytes.length > PIECE_BYTES ? bytes.subarray(0, PIECE_BYTES) : bytes;
    return new Promise((resolve, reject) => {
      this.#writes.add(reject);
      this.#tls.write(piece, (error) => {
        this.#writes.delete(reject);
        if (error) reject(this.#closed ? closed() : asDisconnect(error));
        else resolve(piece.length);
      });
    });
  }

  async closeWrite(): Promise<void> {
    const failure = this.#writeProblem();
    if (failure) throw failure;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#writes.add(reject);
    this.#tls.end(() => resolve());
    await promise;
    this.#writes.delete(reject);
    await nextTurn();
    await this.#wire.flushed();
    if (this.#writeFailure) throw this.#writeFailure;
    await this.#raw.closeWrite();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#raw.close();
    const error = closed();
    this.#failWrites(error);
    this.#opened.reject(error);
    this.#inbox.close(error);
    this.#tls.destroy();
  }

  abort(): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** Reads records while a read is pending. */
  async #pull(): Promise<void> {
    if (this.#pulling) return;
    this.#pulling = true;
    try {
      while (this.#wanted()) {
        const { bytes } = this.#buffer;
        const count = await this.#raw.read(bytes);
        if (count === null) {
          this.#buffer.release();
          return await this.#cut();
        }
        this.#wire.receive(bytes.subarray(0, count));
        this.#buffer.resize(count);
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#pulling = false;
    }
  }

  #wanted(): boolean {
    return !this.#closed && !this.#inbox.over && (!this.#established || this.#inbox.wanted);
  }

  /** The peer's FIN: regular if its close_notify came before. */
  async #cut(): Promise<void> {
    await nextTurn();
    if (!this.#inbox.over) {
      this.#fail(new Deno.errors.UnexpectedEof("the connection ended without a close_notify"));
    }
  }

  #end(): void {
    if (this.#established) this.#inbox.end();
    else this.#fail(new Deno.errors.UnexpectedEof("the peer closed the connection"));
  }

  #fail(error: Error): void {
    this.#opened.reject(error);
    this.#inbox.fail(asDisconnect(error));
  }

  #failWrites(error: Error): void {
    this.#writeFailure ??= error;
    for (const reject of this.#writes) reject(error);
    this.#writes.clear();
  }

  #writeProblem(): Error | undefined {
    if (this.#closed) return closed();
    if (!this.#established) return new Error("the TLS handshake has not been completed");
    return this.#writeFailure ?? (this.#tls.destroyed ? this.#inbox.failure ?? closed() : undefined);
  }
}

function closed(): Error {
  return new Deno.errors.Interrupted("the connection was closed");
}

/** A violation of TLS by the peer ends the connection like a reset. */
function asDisconnect(error: Error): Error {
  return isDisconnect(error)
    ? error
    : new Deno.errors.ConnectionAborted(`TLS: ${withAdvice(error.message)}`, { cause: error });
}

/** Resolves after the callbacks that are due have been called. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
