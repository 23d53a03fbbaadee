/** Connections of this process with itself, over loopback. */

import { acceptEach } from "../accept_loop.ts";

/** Both ends of a connection over loopback. */
export interface Link<T> {
  readonly dialed: Deno.TcpConn;
  readonly accepted: T;
}

/** Where such connections listen. */
export const LOOPBACK = "127.0.0.1";

/**
 * Links through one listener. What comes from a port that none of its own calls has is a stranger's, and is closed; so
 * is what comes from another of the machine's addresses, where a stranger may have the port that a call has on this one.
 */
export class Loopback<T extends Deno.Conn> {
  readonly #listener: Deno.Listener & { accept(): Promise<T> };
  readonly #waiting = new Map<number, PromiseWithResolvers<T>>();
  readonly #arrived = new Map<number, T>();
  #connecting = 0;
  #retired = false;

  /** @param listener Listens on `LOOPBACK`, and is closed by `retire`. */
  constructor(listener: Deno.Listener & { accept(): Promise<T> }) {
    this.#listener = listener;
    void acceptEach(listener, (conn) => this.#arrive(conn), { onPause: (why) => this.#fail(why) });
  }

  /** A new link. @throws Error where the system has no room for one */
  async connect(): Promise<Link<T>> {
    this.#connecting += 1;
    let dialed: Deno.TcpConn | undefined;
    try {
      dialed = await Deno.connect({ hostname: LOOPBACK, port: portOf(this.#listener.addr) });
      return { dialed, accepted: await this.#arrival(dialed.localAddr.port) };
    } catch (error) {
      dialed?.close();
      throw error;
    } finally {
      this.#connecting -= 1;
      if (this.#connecting === 0) this.#tidy();
    }
  }

  /** Closes the listener once no link is being made. */
  retire(): void {
    this.#retired = true;
    if (this.#connecting === 0) this.#tidy();
  }

  async #arrival(port: number): Promise<T> {
    const arrived = this.#arrived.get(port);
    this.#arrived.delete(port);
    if (arrived) return arrived;
    const waiting = Promise.withResolvers<T>();
    this.#waiting.set(port, waiting);
    return await waiting.promise;
  }

  /** An arrival may be seen before its `connect` knows the port that it has. */
  #arrive(conn: T): void {
    if (!isOwn(conn.remoteAddr)) return conn.close();
    const port = portOf(conn.remoteAddr);
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

function isOwn(address: Deno.Addr): boolean {
  return "hostname" in address && address.hostname === LOOPBACK;
}

function portOf(address: Deno.Addr): number {
  return "port" in address ? address.port : 0;
}
