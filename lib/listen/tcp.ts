/** TCP connections as duplexes. */

import type { Duplex } from "./duplex.ts";
import { DuplexReadable, writableOf } from "./streams.ts";

/** What a duplex needs of a socket: `Deno.TcpConn` has it, and so have stand-ins in tests. */
export interface Socket {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  setNoDelay(noDelay?: boolean): void;
  [Symbol.dispose](): void;
}

/** What fits one segment on any path that IPv4 demands: nothing before it is under way, so it is sent at once. */
const FIRST_WRITE_BYTES = 536;

/**
 * A socket as a duplex. Nagle's algorithm is turned off before the first write that it could hold back, which spares
 * a short connection a system call.
 *
 * It never touches `conn.readable` and `conn.writable`: there, the end of one half closes the whole socket, which
 * breaks half-closed connections.
 */
export class TcpDuplex implements Duplex {
  readonly transport = "tcp";
  readonly closeFinishes = true;
  readonly framing = 0;
  received = 0;
  sent = 0;
  finished = false;
  readonly #socket: Socket;
  #unread: Uint8Array | undefined;
  #writes = 0;
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
    return this.#unread ? this.#readAgain(this.#unread, buffer) : this.#socket.read(buffer);
  }

  unread(bytes: Uint8Array): void {
    if (this.#unread) throw new Error("bytes are given back before those given back earlier were read again");
    if (bytes.length > 0) this.#unread = bytes;
    this.received -= bytes.length;
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

  #readAgain(bytes: Uint8Array, buffer: Uint8Array): Promise<number> {
    const count = Math.min(bytes.length, buffer.length);
    buffer.set(bytes.subarray(0, count));
    this.#unread = count < bytes.length ? bytes.subarray(count) : undefined;
    return Promise.resolve(count);
  }

  #sendAtOnce(): void {
    this.#writes = 2;
    try {
      this.#socket.setNoDelay(true);
    } catch {
      // the socket is closed: the write that follows says so
    }
  }
}
