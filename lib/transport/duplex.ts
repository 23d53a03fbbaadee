/**
 * The interface of every transport, and all that the other stages know of a connection.
 *
 * Ownership: the stage that accepts or dials a duplex closes it. Only one stage consumes bytes at a time: first the
 * handshake, then the relay.
 */

import { isDisconnect, messageOf, type RefusalName } from "../errors.ts";

/** How the bytes of a duplex travel. */
export type Transport = "tcp" | "websocket";

/** One end of a TCP connection. */
export interface Endpoint {
  /** IPv4 or IPv6, without brackets. */
  readonly hostname: string;
  readonly port: number;
}

/** A connection: two independent halves. */
export interface Duplex {
  readonly transport: Transport;
  /**
   * Receives up to `buffer.length` bytes into `buffer`. Resolves to their number, or to null once the peer has finished
   * sending. Concurrent calls are served in order.
   *
   * Rejects with the platform's error if the connection fails or is closed meanwhile.
   */
  read(buffer: Uint8Array): Promise<number | null>;
  /**
   * Puts back the bytes received last: subsequent reads return them again. They must not change afterwards, and no read
   * may be pending.
   */
  unread(bytes: Uint8Array): void;
  /**
   * Sends bytes from the start of `bytes`. Resolves to the number accepted, at least one, when the peer is ready for
   * more, which provides backpressure. `bytes` must not change before that.
   *
   * With no bytes nothing is sent, but the call rejects if the connection has been reset.
   *
   * Rejects with the platform's error if the connection fails or is closed meanwhile.
   */
  write(bytes: Uint8Array): Promise<number>;
  /**
   * Ends the sending half, by a FIN or a close frame; receiving continues. Resolves when the operating system has
   * accepted it.
   *
   * @param reason Why the peer was refused, for a transport that has a code for it.
   */
  closeWrite(reason?: RefusalName): Promise<void>;
  /** Closes both halves at once; pending calls fail. May be called again. */
  close(): void;
  /**
   * Closes both halves because of a failure, and signals that to the peer if the transport can. Never rejects; resolves
   * once the connection is closed.
   */
  abort(): Promise<void>;
  /** Number of messages without payload that show that the peer is alive, such as pings, if the transport has any. */
  readonly keepalives?: number;
  /** Whether `closeWrite` sends more than the FIN of `close`: over TLS a FIN alone means a truncated stream. */
  readonly secure?: boolean;
  /** Bytes of the last read that were framing overhead: such a read may look short though it filled the buffer. */
  readonly overhead?: number;
}

/** One direction of a relayed connection. Only the pump changes it; the access log and the idle sweep read it. */
export interface Flow {
  /** Payload bytes read from the sender. */
  read: number;
  /** Payload bytes written to the receiver. */
  written: number;
  /** Whether the sender has finished. */
  finished: boolean;
}

/** A flow without bytes. */
export function newFlow(): Flow {
  return { read: 0, written: 0, finished: false };
}

/** A failed read or write, with the duplex on which it failed. */
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
 * Reads the first bytes of a connection. Null for a probe: the peer closed without sending a byte, or reset the
 * connection, as some load balancers do.
 */
export async function readFirst(duplex: Pick<Duplex, "read">, buffer: Uint8Array): Promise<number | null> {
  try {
    return await duplex.read(buffer);
  } catch (error) {
    if (isDisconnect(error)) return null;
    throw error;
  }
}
