/** Opens listeners, and changes them while they are in use. */

import { getLogger } from "@logtape/logtape";
import type { HostPort, ListenerConfig } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import { addressText, hostPortText } from "../util/text.ts";
import { acceptEach } from "../transport/accept_loop.ts";
import type { ReadFile } from "../transport/tls/files.ts";
import { TlsServer } from "../transport/tls/server.ts";
import type { AcceptedSocket } from "../transport/tcp.ts";
import { Listener } from "./listener.ts";

const log = getLogger("switchyard");

/** Length of the queue of connections not accepted yet; with the platform's 511 a burst of thousands loses SYNs. */
const BACKLOG = 4096;

/** `Deno.listen` takes `tcpBacklog` on 2.9.6, though its types don't say so; versions that don't know it ignore it. */
type ListenOptions = Deno.TcpListenOptions & { hostname: string; tcpBacklog: number };

/** `Deno.listen`; tests replace it. */
export type Listen = (options: ListenOptions) => Deno.TcpListener;

/** Serves a connection that `listener` has accepted. */
export type Serve = (socket: AcceptedSocket, listener: Listener) => void;

/** A listening socket, and its settings, which a reload may change. */
interface Bound {
  readonly socket: Deno.TcpListener;
  listener: Listener;
}

/** Every listener, by its configured address. */
export class Listeners {
  #open = new Map<string, Bound>();
  readonly #accepting = new Set<Promise<void>>();
  readonly #serve: Serve;
  readonly #listen: Listen;

  constructor(serve: Serve, listen: Listen = Deno.listen) {
    this.#serve = serve;
    this.#listen = listen;
  }

  /** The addresses bound, with the ports that the system chose for port 0. */
  get addresses(): Deno.NetAddr[] {
    return [...this.#open.values()].map(({ socket }) => socket.addr);
  }

  /**
   * Opens what is new in `configs` and closes what is no longer there; the others stay as they are.
   *
   * @param read Gives the files of TLS where they have been read already.
   * @throws Error naming the address that could not be listened on; nothing has changed then.
   */
  change(configs: readonly ListenerConfig[], read?: ReadFile): void {
    const before = this.#open;
    const unused = new Set([...before.values()].flatMap(({ listener: { tls } }) => tls ?? []));
    const after = this.#openEach(configs, read);
    this.#open = after;
    for (const [key, bound] of after) if (!before.has(key)) this.#accept(bound);
    for (const [key, { socket }] of before) if (!after.has(key)) close(socket);
    for (const { listener: { tls } } of after.values()) if (tls) unused.delete(tls);
    for (const server of unused) server[Symbol.dispose]();
  }

  /** Closes all, and waits until nothing more is accepted. */
  async close(): Promise<void> {
    for (const { socket, listener } of this.#open.values()) {
      socket.close();
      listener.tls?.[Symbol.dispose]();
    }
    this.#open = new Map();
    await Promise.all(this.#accepting);
  }

  #openEach(configs: readonly ListenerConfig[], read: ReadFile | undefined): Map<string, Bound> {
    using undo = new DisposableStack();
    const after = new Map<string, Bound>();
    const changes: (() => void)[] = [];
    for (const config of configs) {
      const key = freeKey(config.address, after);
      const open = this.#open.get(key);
      const socket = open?.socket ?? undo.adopt(this.#openAt(config.address), (opened) => opened.close());
      const name = addressText(socket.addr);
      const listener = new Listener(name, config, this.#tls(name, config, open, undo, read));
      if (open) changes.push(() => open.listener = listener);
      after.set(key, open ?? { socket, listener });
    }
    undo.move();
    for (const change of changes) change();
    return after;
  }

  /** The TLS server of the listener, kept where its files are the same; their content is read again. */
  #tls(
    name: string,
    { tls }: ListenerConfig,
    open: Bound | undefined,
    undo: DisposableStack,
    read: ReadFile | undefined,
  ): TlsServer | undefined {
    if (!tls) return undefined;
    const known = open?.listener.tls;
    if (JSON.stringify(known?.config) !== JSON.stringify(tls)) {
      return undo.use(new TlsServer(name, tls, { read }));
    }
    if (known) void known.refresh(read);
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

  #accept(bound: Bound): void {
    const { socket, listener: { name } } = bound;
    log.info(`listening on ${name}`);
    const accepting = acceptEach(socket, (conn) => this.#serve(conn, bound.listener), {
      onPause: (error) => log.error`cannot accept on ${name}: ${error}; trying again until it works`,
    });
    this.#accepting.add(accepting);
    void accepting.then(() => this.#accepting.delete(accepting));
  }
}

/** Several listeners may ask for any free port of one address: they are told apart by their order. */
function freeKey({ host, port }: HostPort, taken: ReadonlyMap<string, unknown>): string {
  const wanted = `${host} ${port}`;
  let key = wanted;
  for (let other = 2; taken.has(key); other++) key = `${wanted} ${other}`;
  return key;
}

function close(socket: Deno.TcpListener): void {
  log.info(`no longer listening on ${addressText(socket.addr)}`);
  socket.close();
}

type Place = Pick<Deno.NetAddr, "hostname" | "port">;

/** Whether the system refuses to listen on both at once. */
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
