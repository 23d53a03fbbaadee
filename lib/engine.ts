/** One thread's listeners, connections and settings. */

import { getLogger } from "@logtape/logtape";
import { Limiter } from "./admission/limiter.ts";
import type { Config, OnRemoval, Upstream } from "./config/config.ts";
import { serveConnection } from "./connection.ts";
import type { Connection } from "./connection/connection.ts";
import { drainConnections, type DrainEnd } from "./connection/drain.ts";
import { IdleTimeout } from "./connection/idle_timeout.ts";
import { ConnectionRegistry } from "./connection/registry.ts";
import { SHUTTING_DOWN } from "./connection/rejection.ts";
import type { Current, Snapshot } from "./connection/snapshot.ts";
import { Refusal } from "./errors.ts";
import { type Listen, Listeners } from "./listen/listeners.ts";
import { AccessLog } from "./observe/access_log.ts";
import {
  type Closing,
  type ConnectionInfo,
  connectionInfo,
  type Observer,
  Observers,
  type ReloadResult,
} from "./observe/observer.ts";
import { difference } from "./route/diff.ts";
import { RouteTable } from "./route/table.ts";
import { CaCertificates } from "./transport/tls/client.ts";
import { type Connect, Dialer } from "./upstream/dialer.ts";
import { type Lookup, Resolver } from "./upstream/resolver.ts";
import { sleep, TimeSlice } from "./util/async.ts";
import { Deadlines } from "./util/deadlines.ts";

const log = getLogger("switchyard");

/** How long rejections may take to arrive before the engine closes, in milliseconds. */
const REJECTIONS_MS = 500;

/** What tests put in place of the platform, and who is told of what happens. */
export interface EngineOptions {
  /** @default Deno.listen */
  readonly listen?: Listen;
  /** @default Deno.connect */
  readonly connect?: Connect;
  /** @default the system's resolver */
  readonly lookup?: Lookup;
  /** Told of every connection, besides the access log. @default none */
  readonly observers?: readonly Observer[];
}

/** Which connections: those of a number, of an ID, or of both. */
export interface Selection {
  readonly conn?: number | undefined;
  readonly id?: string | undefined;
}

/** A part of the list of connections, the oldest first. */
export interface Page {
  /** Only connections with a higher number. @default 0 */
  readonly after?: number;
  /** Most connections in the page. */
  readonly limit: number;
  /** Only those for which this is true. @default all */
  readonly matches?: (connection: ConnectionInfo) => boolean;
}

/** Totals of an engine. */
export interface Stats {
  readonly active: number;
  /** Accepted since the start. */
  readonly accepted: number;
  /** Bytes relayed since the start, from clients and from upstreams. */
  readonly bytes: { readonly up: number; readonly down: number };
  /** Rules in the routing table. */
  readonly routes: number;
  readonly draining: boolean;
}

/** An engine that runs. */
export class Engine implements Current, AsyncDisposable {
  readonly registry: ConnectionRegistry;
  readonly limiter: Limiter;
  readonly idleTimeout = new IdleTimeout();
  readonly #listeners: Listeners;
  readonly #accessLog: AccessLog;
  readonly #observer: Observers;
  readonly #connect: Connect | undefined;
  readonly #resolver: Resolver;
  /** By kind and duration. They outlive a reload, since connections keep those that they began with. */
  readonly #deadlines = new Map<string, Deadlines>();
  readonly #closed = new AbortController();
  #config: Config;
  #snapshot: Snapshot;
  #draining: Promise<number> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(config: Config, { listen, connect, lookup, observers = [] }: EngineOptions) {
    this.#config = config;
    this.#connect = connect;
    this.#resolver = new Resolver(lookup);
    this.#accessLog = new AccessLog(config.log.access);
    this.#observer = new Observers([this.#accessLog, ...observers]);
    this.registry = new ConnectionRegistry(this.#observer);
    this.limiter = new Limiter(config);
    this.#snapshot = this.#snapshotOf(config, new RouteTable(config.routes, config.default));
    this.#listeners = new Listeners(
      (socket, listener) => void serveConnection(socket, listener, this),
      listen,
    );
  }

  /**
   * Opens every listener of `config` and serves.
   *
   * @throws Error naming the address that could not be listened on; nothing is left open then.
   */
  static start(config: Config, options: EngineOptions = {}): Engine {
    const engine = new Engine(config, options);
    engine.#listeners.change(config.listeners);
    engine.idleTimeout.ensureInterval(config.timeouts);
    return engine;
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  get draining(): boolean {
    return this.#draining !== undefined;
  }

  /** Where it listens, with the ports that the system chose for port 0. */
  get addresses(): Deno.NetAddr[] {
    return this.#listeners.addresses;
  }

  /**
   * Switches to `config`, all of it in one step. Open connections are not touched, except those whose route is gone and
   * has an `on_removal`. One call at a time.
   *
   * @throws Error where a listener cannot be opened, or while draining; nothing has changed then.
   */
  async reload(config: Config): Promise<ReloadResult> {
    const before = this.#snapshot.table;
    const table = await RouteTable.build(config.routes, config.default);
    const change = await difference(before, table);
    if (this.#draining || this.#closing) throw new Error("the balancer is shutting down");
    const snapshot = this.#snapshotOf(config, table);
    this.#listeners.change(config.listeners);
    this.#config = config;
    this.#snapshot = snapshot;
    this.limiter.configure(config);
    this.#accessLog.configure(config.log.access);
    this.idleTimeout.ensureInterval(config.timeouts);
    const result = { ...change, connections: await this.#endRemoved(before) };
    this.#observer.reloaded(result);
    return result;
  }

  /**
   * Turns new connections away, lets those that are open run until they end or `timeouts.drain` is over, and closes.
   * Resolves to the number of connections that had to be terminated.
   */
  drain(): Promise<number> {
    return this.#draining ??= this.#drain();
  }

  /** Terminates the selected connections. Resolves to their number. */
  terminate({ conn, id }: Selection, why: Closing): Promise<number> {
    const selected = [...this.registry].filter((open) =>
      (conn !== undefined || id !== undefined) && (conn === undefined || open.conn === conn) &&
      (id === undefined || open.id === id)
    );
    for (const connection of selected) connection.terminate(why);
    return Promise.resolve(selected.length);
  }

  /** Copies of what is known of the connections in a page. */
  connections({ after = 0, limit, matches = () => true }: Page): Promise<readonly ConnectionInfo[]> {
    const page: ConnectionInfo[] = [];
    for (const connection of this.registry) {
      if (page.length >= limit) break;
      if (connection.conn > after && matches(connection)) page.push(connectionInfo(connection));
    }
    return Promise.resolve(page);
  }

  stats(): Promise<Stats> {
    return Promise.resolve({
      active: this.registry.active,
      accepted: this.registry.total,
      bytes: this.registry.bytes(),
      routes: this.#snapshot.table.size,
      draining: this.draining,
    });
  }

  /** Stops listening, terminates every connection and waits until all have ended. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #snapshotOf(config: Config, table: RouteTable): Snapshot {
    return {
      table,
      idBytes: config.limits.id_bytes,
      forwardId: config.forward_id,
      proxyProtocol: config.proxy_protocol,
      idDeadlines: this.#deadlinesOf("id", config.timeouts.id),
      connectDeadlines: this.#deadlinesOf("connect", config.timeouts.connect),
      certificates: new CaCertificates(upstreamsOf(config)),
      idleLimits: config.timeouts,
      dialer: new Dialer({ connect: this.#connect, resolver: this.#resolver, dnsTtl: config.dns_ttl }),
    };
  }

  #deadlinesOf(kind: "id" | "connect", duration: number): Deadlines {
    const key = `${kind} ${duration}`;
    const deadlines = this.#deadlines.get(key) ?? new Deadlines(duration);
    this.#deadlines.set(key, deadlines);
    return deadlines;
  }

  async #drain(): Promise<number> {
    const last = this.registry.total;
    const { timeouts } = this.#config;
    log.info(
      `draining: ${this.registry.active} connections have ${timeouts.drain} ms to finish; new ones are refused`,
    );
    const left = () => [...this.registry].filter(({ conn }) => conn <= last);
    const terminated = await drainConnections(left, timeouts, SHUTDOWN, this.#whenEnded(last));
    for (const connection of this.registry) {
      // late arrivals that have sent no ID; the others have been told
      if (connection.id === undefined) connection.terminate(SHUTDOWN.closing, SHUTDOWN.refusal);
    }
    await sleep(REJECTIONS_MS, this.#whenEnded());
    await this.close();
    log[terminated > 0 ? "warning" : "info"](
      `drained: ${terminated} connections were closed at the end of timeouts.drain`,
    );
    return terminated;
  }

  /** Ends the connections of rules that are no longer in the table, as those rules ask. Gives their number. */
  async #endRemoved(before: RouteTable): Promise<number> {
    const slice = new TimeSlice();
    const draining: Connection[] = [];
    let closed = 0;
    for (const connection of this.registry) {
      if (slice.over) await slice.rest();
      const onRemoval = connection.joined ? this.#onRemoval(connection, before) : "keep";
      if (onRemoval === "drain") draining.push(connection);
      if (onRemoval !== "close") continue;
      closed += 1;
      connection.terminate(ROUTE_CLOSED.closing, ROUTE_CLOSED.refusal);
    }
    const stillGone = ({ route = "" }: Connection) => !this.#snapshot.table.named(route);
    const left = () => draining.filter(stillGone);
    if (draining.length > 0) {
      void drainConnections(left, this.#config.timeouts, ROUTE_DRAINED, this.#closed.signal);
    }
    return closed + draining.length;
  }

  #onRemoval({ route }: Connection, before: RouteTable): OnRemoval {
    if (route === undefined || this.#snapshot.table.named(route)) return "keep";
    return before.named(route)?.onRemoval ?? "keep";
  }

  /** Aborted once the first `last` connections since the start have ended, or the engine is closed. */
  #whenEnded(last?: number): AbortSignal {
    const ended = new AbortController();
    void this.registry.ended(last).then(() => ended.abort());
    return AbortSignal.any([ended.signal, this.#closed.signal]);
  }

  async #close(): Promise<void> {
    this.#closed.abort();
    this.idleTimeout[Symbol.dispose]();
    await this.#listeners.close();
    const ended = this.registry.terminateAll(SHUTDOWN.closing);
    // a connection ends when its dialing does, and timeouts.connect may be longer than anybody waits for the end
    for (const deadlines of this.#deadlines.values()) deadlines.expireAll();
    await ended;
    for (const deadlines of this.#deadlines.values()) deadlines.close();
  }
}

function* upstreamsOf({ routes, default: fallback }: Config): Generator<Upstream> {
  yield* routes;
  if (fallback) yield fallback;
}

const ROUTE_REMOVED = new Refusal("SHUTTING_DOWN", "the route of this ID was removed; connect again");
const SHUTDOWN: DrainEnd = { closing: { reason: "drain", closedBy: "balancer" }, refusal: SHUTTING_DOWN };
const ROUTE_DRAINED: DrainEnd = { closing: SHUTDOWN.closing, refusal: ROUTE_REMOVED };
const ROUTE_CLOSED: DrainEnd = {
  closing: { reason: "kicked", closedBy: "balancer", detail: "its route was removed" },
  refusal: ROUTE_REMOVED,
};
