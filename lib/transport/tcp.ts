/** TCP connections as duplexes. */

import { BaseDuplex } from "./base_duplex.ts";
import type { Endpoint } from "./duplex.ts";

/** The part of `Deno.TcpConn` that a duplex needs; tests replace it. */
export interface Socket {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  setNoDelay(noDelay?: boolean): void;
  [Symbol.dispose](): void;
}

/** A socket accepted by a listener. */
export interface AcceptedSocket extends Socket {
  readonly remoteAddr: Endpoint;
  readonly localAddr: Endpoint;
}

/** Fits one segment on any IPv4 path: a first write of this size is sent at once, as no data is in flight. */
const FIRST_WRITE_BYTES = 536;

/**
 * A socket as a duplex. Nagle's algorithm is turned off before the first write that it could delay, which saves short
 * connections a system call.
 *
 * It does not use `conn.readable` and `conn.writable`: the end of one of them closes the whole socket, which breaks
 * half-closed connections.
 */
export class TcpDuplex extends BaseDuplex {
  readonly transport = "tcp";
  readonly #socket: Socket;
  #writes = 0;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    const again = this.readAgain(buffer);
    return again > 0 ? Promise.resolve(again) : this.#socket.read(buffer);
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#writes < 2 && (++this.#writes === 2 || bytes.length > FIRST_WRITE_BYTES)) this.#sendAtOnce();
    return this.#socket.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#socket.closeWrite();
  }

  close(): void {
    this.#socket[Symbol.dispose]();
  }

  abort(): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #sendAtOnce(): void {
    this.#writes = 2;
    try {
      this.#socket.setNoDelay(true);
    } catch {
      // the socket is closed: the write will fail
    }
  }
}
