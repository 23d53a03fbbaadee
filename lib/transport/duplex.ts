/**
 * The contract that every transport fulfils, and all that the other stages know of a connection.
 *
 * Ownership: the stage that accepts or dials a duplex closes it. Only one stage consumes bytes at a time: first the
 * handshake, then the relay.
 */

import { isDisconnect, messageOf, type RefusalName } from "../errors.ts";

/** How the bytes of a duplex travel. */
export type Transport = "tcp" | "websocket";

/** A connection: two independent halves. */
export interface Duplex {
  readonly transport: Transport;
  /**
   * Receives up to `buffer.length` bytes into `buffer` and resolves to how many, or to null once the peer has
   * finished sending. Calls made while another is pending are served in order.
   *
   * Rejects with the platform's error when the connection fails or is closed meanwhile.
   */
  read(buffer: Uint8Array): Promise<number | null>;
  /**
   * Puts back the bytes received last: the reads that follow return them again. They must not change afterwards, and
   * no read may be pending.
   */
  unread(bytes: Uint8Array): void;
  /**
   * Sends from the start of `bytes` and resolves to how many were taken, at least one. `bytes` must not change
   * before it resolves. It resolves only as fast as the peer takes bytes: that is the backpressure.
   *
   * Of no bytes nothing is sent, but it rejects where the connection has been reset.
   *
   * Rejects with the platform's error when the connection fails or is closed meanwhile.
   */
  write(bytes: Uint8Array): Promise<number>;
  /**
   * Tells the peer that nothing more will be sent, by a FIN or by a close frame; receiving continues. Resolves when
   * the operating system has it.
   *
   * @param reason Why the peer was refused, for a transport that has a code for it.
   */
  closeWrite(reason?: RefusalName): Promise<void>;
  /** Ends both halves at once and fails whatever is pending. May be called again. */
  close(): void;
  /**
   * Ends both halves because something broke, and tells the peer so where the transport can. Never rejects; resolves
   * once the connection is closed.
   */
  abort(): Promise<void>;
  /** Number of messages without payload that show the peer alive, such as pings, where the transport has any. */
  readonly keepalives?: number;
  /** Whether `closeWrite` tells the peer more than the FIN of `close` does: over TLS, a FIN alone is a cut stream. */
  readonly secure?: boolean;
  /** Bytes of its buffer that the last read spent on framing: a read that filled the buffer may look short. */
  readonly overhead?: number;
}

/** One direction of a relayed connection. Kept by the pump alone; access log and idle sweep read it. */
export interface Flow {
  /** Payload bytes read from the sender. */
  read: number;
  /** Payload bytes that the receiver's side has taken. */
  written: number;
  /** Whether the sender has finished. */
  finished: boolean;
}

/** A flow in which nothing has moved yet. */
export function newFlow(): Flow {
  return { read: 0, written: 0, finished: false };
}

/** A read or write that failed while bytes were moved, with the duplex on which it failed. */
export class DuplexError extends Error {
  override readonly name = "DuplexError";
  readonly duplex: Duplex;

  constructor(duplex: Duplex, doing: "read" | "write", cause: unknown) {
    super(`${doing}: ${messageOf(cause)}`, { cause });
    this.duplex = duplex;
  }
}

/** Sends all of `bytes`. */
export async function writeAll(duplex: Pick<Duplex, "write">, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await duplex.write(done === 0 ? bytes : bytes.subarray(done));
  }
}

/**
 * Reads the first bytes of a connection. Null is a probe: the peer closed without having sent a byte, or reset the
 * connection, which is how some load balancers end a probe.
 */
export async function readFirst(duplex: Pick<Duplex, "read">, buffer: Uint8Array): Promise<number | null> {
  try {
    return await duplex.read(buffer);
  } catch (error) {
    if (isDisconnect(error)) return null;
    throw error;
  }
}
