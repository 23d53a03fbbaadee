/** Opens listeners, and changes them while they are in use. */

import { getLogger } from "@logtape/logtape";
import type { HostPort, ListenerConfig } from "../config/config.ts";
import { sleep } from "../util/async.ts";
import { addressText } from "../util/text.ts";
import { acceptEach } from "../transport/accept_loop.ts";
import type { ReadFile } from "../transport/tls/files.ts";
import { TlsServer } from "../transport/tls/server.ts";
import type { AcceptedSocket } from "../transport/tcp.ts";
import { bind, freeKey, type Listen } from "./bind.ts";
import { Listener } from "./listener.ts";

const log = getLogger("switchyard");

/** How long no connection must arrive before the sockets are closed, and the maximum wait for that, in milliseconds. */
const QUIET = { ms: 25, most: 500 };

/** Replacements for the platform in tests, and port sharing. */
export interface ListenersOptions {
  /** @default Deno.listen */
  readonly listen?: Listen | undefined;
  /** Whether other threads listen on the same ports; the main thread then logs the listeners. @default false */
  readonly reusePort?: boolean | undefined;
}

/** A change whose parts have all been checked. Either function is called, once. */
export interface PreparedListeners {
  /** Uses the new listeners, and closes removed ones. */
  commit(): void;
  /** Closes the new listeners. */
  abort(): void;
}

/** Serves a connection accepted by `listener`. */
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
  readonly #options: ListenersOptions;
  #acceptedAt = -Infinity;

  constructor(serve: Serve, options: ListenersOptions = {}) {
    this.#serve = serve;
    this.#options = options;
  }

  /** The addresses listened on, with the ports that the system chose for port 0. */
  get addresses(): Deno.NetAddr[] {
    return [...this.#open.values()].map(({ socket }) => socket.addr);
  }

  /**
   * Opens the new listeners in `configs` and closes those that are no longer there; the others stay open.
   *
   * @param read Returns TLS files that have been read already.
   * @throws Error naming the address that cannot be listened on; nothing has changed then.
   */
  change(configs: readonly ListenerConfig[], read?: ReadFile): void {
    this.prepare(configs, read).commit();
  }

  /** Prepares such a change: nothing changes, and new listeners accept nothing, before `commit`. */
  prepare(configs: readonly ListenerConfig[], read?: ReadFile): PreparedListeners {
    using undo = new DisposableStack();
    const after = new Map<string, Bound>();
    const changes: (() => void)[] = [];
    for (const config of configs) {
      const key = freeKey(config.address, after);
      const open = this.#open.get(key);
      const socket = open?.socket ?? undo.adopt(this.#openAt(config.address), (opened) => opened.close());
      const name = addressText(socket.addr);
      const listener = new Listener(name, config, this.#tls(name, config, open, undo, read));
      if (open) {
        changes.push(() => {
          if (listener.tls === open.listener.tls) void listener.tls?.refresh(read);
          open.listener = listener;
        });
      }
      after.set(key, open ?? { socket, listener });
    }
    const opened = undo.move();
    return { abort: () => opened.dispose(), commit: () => this.#use(after, changes) };
  }

  /**
   * Resolves once no connection has arrived for a moment, or after a maximum wait: closing a socket drops its backlog.
   */
  async drainBacklogs(): Promise<void> {
    const begun = performance.now();
    for (let now = begun; now - begun < QUIET.most; now = performance.now()) {
      const pause = Math.max(this.#acceptedAt, begun) + QUIET.ms - now;
      if (pause <= 0) return;
      await sleep(pause);
    }
  }

  /** Closes all listeners, and waits until the accept loops have ended. */
  async close(): Promise<void> {
    for (const { socket, listener } of this.#open.values()) {
      socket.close();
      listener.tls?.[Symbol.dispose]();
    }
    this.#open = new Map();
    await Promise.all(this.#accepting);
  }

  #use(after: Map<string, Bound>, changes: readonly (() => void)[]): void {
    const before = this.#open;
    const unused = new Set([...before.values()].flatMap(({ listener: { tls } }) => tls ?? []));
    for (const change of changes) change();
    this.#open = after;
    for (const [key, bound] of after) if (!before.has(key)) this.#accept(bound);
    for (const [key, { socket }] of before) if (!after.has(key)) this.#closeOne(socket);
    for (const { listener: { tls } } of after.values()) if (tls) unused.delete(tls);
    for (const server of unused) server[Symbol.dispose]();
  }

  #closeOne(socket: Deno.TcpListener): void {
    if (!this.#options.reusePort) log.info(`no longer listening on ${addressText(socket.addr)}`);
    socket.close();
  }

  /** The listener's TLS server, kept if its files are the same; their content is read again. */
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
    return known;
  }

  #openAt(address: HostPort): Deno.TcpListener {
    return bind(address, { ...this.#options, own: this.addresses });
  }

  #accept(bound: Bound): void {
    const { socket, listener: { name } } = bound;
    if (!this.#options.reusePort) log.info(`listening on ${name}`);
    const serve = (conn: AcceptedSocket) => {
      this.#acceptedAt = performance.now();
      this.#serve(conn, bound.listener);
    };
    const accepting = acceptEach(socket, serve, {
      onPause: (error) => log.error`cannot accept on ${name}: ${error}; trying again until it works`,
    });
    this.#accepting.add(accepting);
    void accepting.then(() => this.#accepting.delete(accepting));
  }
}
