/** A TLS listener on loopback for one certificate, to which a gate passes connections on. */

import { acceptEach } from "./accept.ts";

/** A certificate with those above it, and its private key, in PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** The two ends of a connection over loopback: TLS is spoken on `secure`, and `hop` carries what goes over the wire. */
export interface Link {
  readonly hop: Deno.TcpConn;
  readonly secure: Deno.TlsConn;
}

const LOOPBACK = "127.0.0.1";

/** Takes connections from this process alone: one that comes from a port that no `connect` has is closed. */
export class Inner {
  readonly #listener: Deno.TlsListener;
  readonly #waiting = new Map<number, PromiseWithResolvers<Deno.TlsConn>>();
  readonly #arrived = new Map<number, Deno.TlsConn>();
  #connecting = 0;
  #retired = false;

  /** @throws Error where the certificate cannot be used */
  constructor({ cert, key }: KeyPair) {
    this.#listener = Deno.listenTls({ hostname: LOOPBACK, port: 0, cert, key });
    void acceptEach(this.#listener, (conn) => this.#arrive(conn), { onPause: (why) => this.#fail(why) });
  }

  /** A new connection. @throws Error where the system has no room for one */
  async connect(): Promise<Link> {
    this.#connecting += 1;
    let hop: Deno.TcpConn | undefined;
    try {
      hop = await Deno.connect({ hostname: LOOPBACK, port: this.#listener.addr.port });
      return { hop, secure: await this.#arrival(hop.localAddr.port) };
    } catch (error) {
      hop?.close();
      throw error;
    } finally {
      this.#connecting -= 1;
      if (this.#connecting === 0) this.#tidy();
    }
  }

  /** Closes the listener once no connection is on its way to it. */
  retire(): void {
    this.#retired = true;
    if (this.#connecting === 0) this.#tidy();
  }

  async #arrival(port: number): Promise<Deno.TlsConn> {
    const arrived = this.#arrived.get(port);
    this.#arrived.delete(port);
    if (arrived) return arrived;
    const waiting = Promise.withResolvers<Deno.TlsConn>();
    this.#waiting.set(port, waiting);
    return await waiting.promise;
  }

  /** An arrival may be seen before its `connect` knows the port that it has. */
  #arrive(conn: Deno.TlsConn): void {
    const { port } = conn.remoteAddr as Deno.NetAddr;
    const waiting = this.#waiting.get(port);
    this.#waiting.delete(port);
    if (waiting) waiting.resolve(conn);
    else if (this.#connecting > 0) this.#arrived.set(port, conn);
    else conn.close();
  }

  #fail(why: string): void {
    for (const { reject } of this.#waiting.values()) {
      reject(new Error(`cannot pass on a connection to TLS: ${why}`));
    }
    this.#waiting.clear();
  }

  #tidy(): void {
    for (const stranger of this.#arrived.values()) stranger.close();
    this.#arrived.clear();
    if (this.#retired) this.#listener[Symbol.dispose]();
  }
}
