/** TLS over a connection, as a socket: the server's side or the client's. */

import { type Duplex, DuplexError, type Flow, newFlow } from "../duplex.ts";
import { DuplexReadable } from "../streams.ts";
import { type Socket, TcpDuplex } from "../tcp.ts";

/** A peer that has taken nothing for this long, in milliseconds, loses what is left for it of a closed connection. */
const STALLED_MS = 10_000;

/** Passes on what the peer sends first, while `down` counts what moves the other way. */
type Opening = (raw: Duplex, hop: Duplex, down: Flow) => Promise<void>;

/** The two ends of a connection over loopback: TLS is spoken on `secure`, and `hop` carries what goes over the wire. */
export interface TlsLink {
  readonly hop: Deno.TcpConn;
  readonly secure: Deno.TlsConn;
}

/** The sockets that are open. */
export class OpenSockets {
  readonly #open = new Set<TlsSocket>();

  add(socket: TlsSocket): void {
    this.#open.add(socket);
    void socket.ended.then(() => this.#open.delete(socket));
  }

  /** Waits, at most `ms`, until what has been sent is on its way, and ends the rest. */
  async finish(ms: number): Promise<void> {
    if (this.#open.size === 0) return;
    const timer = setTimeout(() => this.#open.forEach((socket) => socket.destroy()), ms);
    await Promise.all([...this.#open].map(({ ended }) => ended));
    clearTimeout(timer);
  }
}

/** Passes what goes over the wire between the peer's connection and the one over loopback. It owns both. */
export class TlsSocket implements Socket {
  /** Settles once nothing of the connection is open. */
  readonly ended: Promise<void>;
  readonly #raw: Duplex;
  readonly #hop: TcpDuplex;
  readonly #secure: Deno.TlsConn;
  /** What moves towards the peer. */
  readonly #down = newFlow();
  #closed = false;
  #shaking = false;
  #allSent = false;
  #stalled: ReturnType<typeof setInterval> | undefined;

  /** @param opening Passes on what the peer says first, where that takes more than passing it on. */
  constructor(
    raw: Duplex,
    { hop, secure }: TlsLink,
    opening?: Opening,
  ) {
    this.#raw = raw;
    this.#hop = new TcpDuplex(hop);
    this.#secure = secure;
    this.ended = this.#pass(opening);
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

  /** Fails at once while the handshake is under way: a last word must not wait for a peer that never ends it. */
  write(bytes: Uint8Array): Promise<number> {
    if (this.#shaking) return Promise.reject(new Error("the TLS handshake has not been completed"));
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

  async #pass(opening?: Opening): Promise<void> {
    const [raw, hop] = [this.#raw, this.#hop];
    const up = this.#passUp(opening);
    try {
      await new DuplexReadable(hop, this.#down).pipeTo(raw);
      this.#allSent = true;
      if (!this.#closed) await up;
    } catch {
      // the peer is gone, or TLS is: whoever reads or writes here hears of it
    }
    clearInterval(this.#stalled);
    this.#raw.close();
    this.#hop.close();
    await up;
  }

  async #passUp(opening?: Opening): Promise<void> {
    try {
      await opening?.(this.#raw, this.#hop, this.#down);
      // a peer that goes on sending to a closed connection may still get its last words
      await new DuplexReadable(this.#raw).pipeTo(this.#hop, { preventCancel: true, preventAbort: true });
    } catch (error) {
      // how it ended shows at the socket: it is cut off where the peer was
      if (!(error instanceof DuplexError) || error.duplex === this.#raw) this.#hop.close();
    }
  }

  #watch(): void {
    let sent = -1;
    this.#stalled = setInterval(() => {
      if (this.#down.written === sent) this.destroy();
      sent = this.#down.written;
    }, STALLED_MS);
    Deno.unrefTimer(this.#stalled);
  }
}
