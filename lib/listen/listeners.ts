/** The open listeners, and changing them while they are in use. */

import { getLogger } from "@logtape/logtape";
import type { HostPort, ListenerConfig } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import { addressText, hostPortText } from "../util/text.ts";
import { acceptEach } from "../transport/accept_loop.ts";
import { TlsServer } from "../transport/tls/server.ts";
import { Entrance } from "./listener.ts";

const log = getLogger("switchyard");

/** Connections that may wait to be accepted; with the platform's 511 a burst of thousands meets SYN retries. */
const BACKLOG = 4096;

/** `Deno.listen` takes `tcpBacklog` on 2.9.6, though its types don't say so; versions that don't know it ignore it. */
type ListenOptions = Deno.TcpListenOptions & { hostname: string; tcpBacklog: number };

/** What listening needs of the platform; tests put their own in its place. */
export type Listen = (options: ListenOptions) => Deno.TcpListener;

/** Serves a connection that has been accepted at this entrance. */
export type Serve = (conn: Deno.TcpConn, entrance: Entrance) => void;

/** A listener that stays, and what is said of it, which a reload may change. */
interface Door {
  readonly listener: Deno.TcpListener;
  entrance: Entrance;
}

/** Every listener, by what the configuration says of it. */
export class Listeners {
  #open = new Map<string, Door>();
  readonly #accepting = new Set<Promise<void>>();
  readonly #serve: Serve;
  readonly #listen: Listen;

  constructor(serve: Serve, listen: Listen = Deno.listen) {
    this.#serve = serve;
    this.#listen = listen;
  }

  /** Where they listen, with the ports that the system chose for port 0. */
  get addresses(): Deno.NetAddr[] {
    return [...this.#open.values()].map(({ listener }) => listener.addr);
  }

  /**
   * Opens what is new in `configs` and closes what is no longer there; the others stay as they are.
   *
   * @throws Error naming the address that could not be listened on; nothing has changed then.
   */
  change(configs: readonly ListenerConfig[]): void {
    const before = this.#open;
    const unused = new Set([...before.values()].flatMap(({ entrance: { tls } }) => tls ?? []));
    const after = this.#openEach(configs);
    this.#open = after;
    for (const [key, door] of after) if (!before.has(key)) this.#accept(door);
    for (const [key, { listener }] of before) if (!after.has(key)) close(listener);
    for (const { entrance: { tls } } of after.values()) if (tls) unused.delete(tls);
    for (const server of unused) server[Symbol.dispose]();
  }

  /** Closes all, and waits until nothing more is accepted. */
  async close(): Promise<void> {
    for (const { listener, entrance } of this.#open.values()) {
      listener.close();
      entrance.tls?.[Symbol.dispose]();
    }
    this.#open = new Map();
    await Promise.all(this.#accepting);
  }

  #openEach(configs: readonly ListenerConfig[]): Map<string, Door> {
    using undo = new DisposableStack();
    const after = new Map<string, Door>();
    const changes: (() => void)[] = [];
    for (const config of configs) {
      const key = freeKey(config.address, after);
      const open = this.#open.get(key);
      const listener = open?.listener ?? undo.adopt(this.#openAt(config.address), (opened) => opened.close());
      const name = addressText(listener.addr);
      const entrance = new Entrance(name, config, this.#tls(name, config, open, undo));
      if (open) changes.push(() => open.entrance = entrance);
      after.set(key, open ?? { listener, entrance });
    }
    undo.move();
    for (const change of changes) change();
    return after;
  }

  /** The TLS server that the listener has, where its files are the same: then what they hold now is used. */
  #tls(
    name: string,
    { tls }: ListenerConfig,
    open: Door | undefined,
    undo: DisposableStack,
  ): TlsServer | undefined {
    if (!tls) return undefined;
    const known = open?.entrance.tls;
    if (known?.config.cert !== tls.cert || known.config.key !== tls.key) {
      return undo.use(new TlsServer(name, tls));
    }
    known.refresh();
    return known;
  }

  #openAt({ host, port }: HostPort): Deno.TcpListener {
    try {
      return this.#listen({ hostname: host, port, tcpBacklog: BACKLOG });
    } catch (error) {
      const own = this.addresses.find((open) => overlap(open, { hostname: host, port }));
      const why = own && error instanceof Deno.errors.AddrInUse ? takenBy(own) : listenProblem(error);
      throw new Error(`cannot listen on ${hostPortText({ host, port })}: ${why}`, { cause: error });
    }
  }

  #accept(door: Door): void {
    const { listener, entrance: { name } } = door;
    log.info(`listening on ${name}`);
    const accepting = acceptEach(listener, (conn) => this.#serve(conn, door.entrance), {
      onPause: (error) => log.error`cannot accept on ${name}: ${error}; trying again until it works`,
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

type Place = Pick<Deno.NetAddr, "hostname" | "port">;

/** Whether listening on both at once is refused. */
function overlap(one: Place, other: Place): boolean {
  const hosts = [one.hostname, other.hostname];
  return one.port === other.port &&
    (hosts[0] === hosts[1] || hosts.includes("0.0.0.0") || hosts.includes("::"));
}

function takenBy(own: Deno.NetAddr): string {
  return `this process listens on ${
    addressText(own)
  } already, and cannot change over without closing the port; use another port or start it anew`;
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
