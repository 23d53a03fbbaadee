/** The open listeners, and changing them while they are in use. */

import { getLogger } from "@logtape/logtape";
import type { HostPort, ListenerConfig } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import { addressText } from "../text.ts";
import { acceptEach } from "./accept.ts";

const log = getLogger("switchyard");

/** Connections that may wait to be accepted; with the platform's 511 a burst of thousands meets SYN retries. */
const BACKLOG = 4096;

/** `Deno.listen` takes `tcpBacklog` on 2.9.6, though its types don't say so; versions that don't know it ignore it. */
type ListenOptions = Deno.TcpListenOptions & { hostname: string; tcpBacklog: number };

/** What listening needs of the platform; tests put their own in its place. */
export type Listen = (options: ListenOptions) => Deno.TcpListener;

/** Serves a connection that the listener with this name has accepted. */
export type Serve = (conn: Deno.TcpConn, listener: string) => void;

/** Every listener, by what the configuration says of it. */
export class Listeners {
  #open = new Map<string, Deno.TcpListener>();
  readonly #accepting = new Set<Promise<void>>();
  readonly #serve: Serve;
  readonly #listen: Listen;

  constructor(serve: Serve, listen: Listen = Deno.listen) {
    this.#serve = serve;
    this.#listen = listen;
  }

  /** Where they listen, with the ports that the system chose for port 0. */
  get addresses(): Deno.NetAddr[] {
    return [...this.#open.values()].map(({ addr }) => addr);
  }

  /**
   * Opens what is new in `configs` and closes what is no longer there; the others stay as they are.
   *
   * @throws Error naming the address that could not be listened on; nothing has changed then.
   */
  change(configs: readonly ListenerConfig[]): void {
    const before = this.#open;
    const after = this.#openEach(configs);
    this.#open = after;
    for (const [key, listener] of after) if (!before.has(key)) this.#accept(listener);
    for (const [key, listener] of before) if (!after.has(key)) close(listener);
  }

  /** Closes all, and waits until nothing more is accepted. */
  async close(): Promise<void> {
    for (const listener of this.#open.values()) listener.close();
    this.#open = new Map();
    await Promise.all(this.#accepting);
  }

  #openEach(configs: readonly ListenerConfig[]): Map<string, Deno.TcpListener> {
    const opened: Deno.TcpListener[] = [];
    const after = new Map<string, Deno.TcpListener>();
    try {
      for (const { address } of configs) {
        const key = freeKey(address, after);
        let listener = this.#open.get(key);
        if (!listener) opened.push(listener = this.#openAt(address));
        after.set(key, listener);
      }
      return after;
    } catch (error) {
      for (const listener of opened) listener.close();
      throw error;
    }
  }

  #openAt({ host, port }: HostPort): Deno.TcpListener {
    try {
      return this.#listen({ hostname: host, port, tcpBacklog: BACKLOG });
    } catch (error) {
      throw new Error(`cannot listen on ${addressText({ hostname: host, port })}: ${listenProblem(error)}`, {
        cause: error,
      });
    }
  }

  #accept(listener: Deno.TcpListener): void {
    const name = addressText(listener.addr);
    log.info(`listening on ${name}`);
    const accepting = acceptEach(listener, (conn) => this.#serve(conn, name), {
      onPause: (error, ms) => log.error(`cannot accept on ${name}: ${error}; trying again in ${ms} ms`),
    });
    this.#accepting.add(accepting);
    void accepting.then(() => this.#accepting.delete(accepting));
  }
}

/** Several listeners may ask for any free port of one address: then the first stays the first. */
function freeKey({ host, port }: HostPort, taken: ReadonlyMap<string, unknown>): string {
  const wanted = `${host} ${port}`;
  let key = wanted;
  for (let other = 2; taken.has(key); other++) key = `${wanted} ${other}`;
  return key;
}

function close(listener: Deno.TcpListener): void {
  log.info(`no longer listening on ${addressText(listener.addr)}`);
  listener.close();
}

function listenProblem(error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) {
    return "the address is in use; stop what uses it or choose another";
  }
  if (error instanceof Deno.errors.AddrNotAvailable) return "no interface of this machine has the address";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "the system does not permit it; try a port over 1023";
  }
  return messageOf(error);
}
