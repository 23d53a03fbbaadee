/** The server's side of one TLS connection, as a socket. */

import type { Duplex } from "./duplex.ts";
import { type Socket, TcpDuplex } from "./tcp.ts";
import type { Link } from "./tls_inner.ts";

/** A peer that has taken nothing for this long, in milliseconds, loses what is left for it of a closed connection. */
const STALLED_MS = 10_000;

/** Passes what goes over the wire between the client's connection and the TLS listener. It owns both. */
export class TlsSocket implements Socket {
  /** Settles once nothing of the connection is open. */
  readonly ended: Promise<void>;
  readonly #raw: Duplex;
  readonly #hop: TcpDuplex;
  readonly #secure: Deno.TlsConn;
  #closed = false;
  #shaking = false;
  #allSent = false;
  #stalled: ReturnType<typeof setInterval> | undefined;

  constructor(raw: Duplex, { hop, secure }: Link) {
    this.#raw = raw;
    this.#hop = new TcpDuplex(hop);
    this.#secure = secure;
    this.ended = this.#pass();
  }

  async handshake(): Promise<void> {
    this.#shaking = true;
    try {
      await this.#secure.handshake();
    } finally {
      this.#shaking = false;
    }
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#secure.read(buffer);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#secure.write(bytes);
  }

  /** Sends TLS's own word for the end (close_notify), then the FIN. */
  closeWrite(): Promise<void> {
    return this.#secure.closeWrite();
  }

  /** Both sockets send at once what they have: see `TcpDuplex`. */
  setNoDelay(): void {}

  /** What has been written is still delivered, as the kernel does for a socket that is closed. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    // a handshake that is under way holds on to its socket, and nothing has been written yet that could be read
    if (this.#shaking || this.#allSent) return this.destroy();
    this.#closed = true;
    this.#secure[Symbol.dispose]();
    this.#watch();
  }

  /** Ends all of it at once. */
  destroy(): void {
    this.#closed = true;
    this.#secure[Symbol.dispose]();
    this.#raw.close();
    this.#hop.close();
  }

  async #pass(): Promise<void> {
    const [raw, hop] = [this.#raw, this.#hop];
    // a client that goes on sending to a closed connection may still get its last words
    const up = raw.readable.pipeTo(hop, { preventCancel: true }).catch(ignore);
    try {
      await hop.readable.pipeTo(raw);
      this.#allSent = true;
      if (!this.#closed) await up;
    } catch {
      // the client is gone, or TLS is: whoever reads or writes here hears of it
    }
    clearInterval(this.#stalled);
    this.#raw.close();
    this.#hop.close();
    await up;
  }

  #watch(): void {
    let sent = -1;
    this.#stalled = setInterval(() => {
      if (this.#raw.sent === sent) this.destroy();
      sent = this.#raw.sent;
    }, STALLED_MS);
    Deno.unrefTimer(this.#stalled);
  }
}

/** How a direction ended shows at the socket that it ends in. */
function ignore(): void {}
