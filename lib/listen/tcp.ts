/** TCP connections as duplexes. */

import type { Duplex } from "./duplex.ts";
import { DuplexReadable, writableOf } from "./streams.ts";

/** What a duplex needs of a socket: `Deno.TcpConn` has it, and so have stand-ins in tests. */
export interface Socket {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  [Symbol.dispose](): void;
}

/**
 * A socket as a duplex. It never touches `conn.readable` and `conn.writable`: there, the end of one half closes the
 * whole socket, which breaks half-closed connections.
 */
export class TcpDuplex implements Duplex {
  readonly transport = "tcp";
  received = 0;
  sent = 0;
  readonly #socket: Socket;
  #readable?: DuplexReadable;
  #writable?: WritableStream<Uint8Array>;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get readable(): DuplexReadable {
    return this.#readable ??= new DuplexReadable(this);
  }

  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= writableOf(this);
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#socket.read(buffer);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#socket.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#socket.closeWrite();
  }

  close(): void {
    this.#socket[Symbol.dispose]();
  }
}
