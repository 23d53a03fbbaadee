/**
 * The contract that every transport fulfils, and all that the rest of the path knows of a connection.
 *
 * Ownership: whoever accepts or dials a duplex closes it, once, and may then call `close` again without harm.
 * Only one stage consumes bytes at a time: first the ID reader, then the relay.
 */

import { messageOf } from "../errors.ts";

/** How the bytes of a duplex travel. */
export type Transport = "tcp" | "websocket";

/** The receiving half of a connection. */
export interface ByteSource {
  /**
   * Receives up to `buffer.length` bytes into `buffer` and resolves to how many, or to null once the peer has
   * finished sending. Calls made while another is pending are served in order.
   *
   * Rejects with the platform's error when the connection fails or is closed meanwhile.
   */
  read(buffer: Uint8Array): Promise<number | null>;
  /**
   * Gives back the bytes received last, which must not change afterwards: the reads that follow get them again. No
   * read may be pending. They are received anew then, so `received` is taken back by whoever keeps it.
   */
  unread(bytes: Uint8Array): void;
  /** How many bytes of its buffer the last read spent on what is no payload: a read that filled it may look short. */
  readonly framing: number;
}

/** The sending half of a connection. */
export interface ByteSink {
  /**
   * Sends from the start of `bytes` and resolves to how many were taken, at least one. `bytes` must not change
   * before it resolves. It resolves only as fast as the peer takes bytes: that is the backpressure.
   *
   * Rejects with the platform's error when the connection fails or is closed meanwhile.
   */
  write(bytes: Uint8Array): Promise<number>;
  /**
   * Tells the peer that nothing more will be sent; receiving goes on. Resolves when the operating system has it.
   *
   * @param refusal Code of the ERROR frame that was the last word, where one was, for a transport that can repeat it.
   */
  closeWrite(refusal?: number): Promise<void>;
}

/** A stream that can be piped into a duplex as well. */
export interface PipeableStream extends ReadableStream<Uint8Array> {
  pipeTo(destination: WritableStream<Uint8Array> | Duplex, options?: StreamPipeOptions): Promise<void>;
}

/** A connection: two independent halves, as streams too. */
export interface Duplex extends ByteSource, ByteSink {
  readonly transport: Transport;
  /** The receiving half as a stream. Piped into another duplex, it takes the direct loop. */
  readonly readable: PipeableStream;
  /** The sending half as a stream; closing it is `closeWrite`, aborting it is `close`. */
  readonly writable: WritableStream<Uint8Array>;
  /** Payload bytes received from the peer so far, kept by whoever moves them. */
  received: number;
  /** Payload bytes that the peer's side has taken so far, kept by whoever moves them. */
  sent: number;
  /** Signs of life that are no payload, such as a WebSocket's pings: how many there were, where there can be any. */
  readonly signs?: number;
  /** Whether the peer has finished sending, kept by whoever moves its bytes. */
  finished: boolean;
  /** Whether `close` tells a peer that has finished sending as well as `closeWrite` does that all has been sent. */
  readonly closeFinishes: boolean;
  /** Ends both halves at once and fails whatever is pending. May be called again. */
  close(): void;
  /**
   * Ends both halves because something broke, and tells the peer so where the transport can. Resolves, always, once
   * the connection is closed.
   */
  abort(): Promise<void>;
}

/** A read or write that failed while bytes were moved, with the duplex it failed on: so the relay can tell who ended. */
export class DuplexError extends Error {
  override readonly name = "DuplexError";
  /** The one that failed. */
  readonly duplex: ByteSource | ByteSink;

  constructor(duplex: ByteSource | ByteSink, doing: "read" | "write", cause: unknown) {
    super(`${doing}: ${messageOf(cause)}`, { cause });
    this.duplex = duplex;
  }
}

/** Sends all of `bytes`, counting what was taken. */
export async function writeAll(sink: ByteSink & { sent: number }, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const taken = await sink.write(done === 0 ? bytes : bytes.subarray(done));
    done += taken;
    sink.sent += taken;
  }
}
