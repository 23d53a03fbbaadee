/** One thread's listeners, connections and settings. */

import { Limiter } from "./admission/limiter.ts";
import type { Config } from "./config/config.ts";
import { serversOf } from "./config/servers.ts";
import { serveConnection } from "./connection.ts";
import { Dialing } from "./connection/dialing.ts";
import { drainConnections, type DrainEnd } from "./connection/drain.ts";
import { IdleTimeout } from "./connection/idle_timeout.ts";
import type { Page } from "./connection/page.ts";
import { ConnectionRegistry, type Selection } from "./connection/registry.ts";
import { SHUTTING_DOWN } from "./connection/rejection.ts";
import { endRemoved } from "./connection/removed_routes.ts";
import type { Current, Snapshot } from "./connection/snapshot.ts";
import { Timeouts } from "./connection/timeouts.ts";
import type { ConnectionCounts, Counted, EngineFace, Stats } from "./engine/face.ts";
import { type Listen, Listeners } from "./listen/listeners.ts";
import { metricsSource } from "./engine/metrics_source.ts";
import { AccessLog } from "./observe/access_log.ts";
import type { MetricsSource } from "./observe/metrics.ts";
import {
  type Closing,
  type ConnectionInfo,
  type Observer,
  Observers,
  type ReloadResult,
} from "./observe/observer.ts";
import { difference } from "./route/diff.ts";
import { RouteTable } from "./route/table.ts";
import { readAhead, type ReadFile, tlsFiles } from "./transport/tls/files.ts";
import type { Connect } from "./upstream/dialer.ts";
import type { Lookup } from "./upstream/resolver.ts";
import { sleep } from "./util/async.ts";
import { subnetOf } from "./util/cidr.ts";

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

/** The engine of one thread. */
export class Engine implements Current, EngineFace {
  readonly registry: ConnectionRegistry;
  readonly limiter: Limiter;
  readonly idleTimeout = new IdleTimeout();
  readonly #listeners: Listeners;
  readonly #accessLog: AccessLog;
  readonly #observer: Observers;
  readonly #dialing: Dialing;
  readonly #timeouts = new Timeouts();
  readonly #closed = new AbortController();
  #config: Config;
  #snapshot: Snapshot;
  #draining: Promise<number> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(config: Config, { listen, connect, lookup, observers = [] }: EngineOptions) {
    this.#config = config;
    this.#accessLog = new AccessLog(config.log);
    this.#observer = new Observers([this.#accessLog, ...observers]);
    this.#dialing = new Dialing({ connect, lookup, observer: this.#observer });
    this.registry = new ConnectionRegistry(this.#observer);
    this.limiter = new Limiter(config);
    this.#snapshot = this.#snapshotOf(
      config,
      new RouteTable(config.routes, config.default, config.tableData),
    );
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
    engine.#dialing.use(engine.#snapshot);
    engine.idleTimeout.ensureInterval(config.timeouts);
    return engine;
  }

  get config(): Config {
    return this.#config;
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  get active(): number {
    return this.registry.active;
  }

  get draining(): boolean {
    return this.#draining !== undefined;
  }

  get addresses(): Deno.NetAddr[] {
    return this.#listeners.addresses;
  }

  async reload(config: Config): Promise<ReloadResult> {
    const before = this.#snapshot.table;
    const table = await RouteTable.build(config.routes, config.default, config.tableData);
    const change = await difference(before, table);
    const read = await readAhead(tlsFiles(config.listeners, serversOf(config)));
    if (this.#draining || this.#closing) throw new Error("the balancer is shutting down");
    const snapshot = this.#snapshotOf(config, table, read);
    this.#listeners.change(config.listeners, read);
    this.#config = config;
    this.#snapshot = snapshot;
    this.#dialing.use(snapshot);
    this.limiter.configure(config);
    this.#accessLog.configure(config.log);
    this.idleTimeout.ensureInterval(config.timeouts);
    const result = {
      ...change,
      connections: await endRemoved({
        before,
        registry: this.registry,
        after: () => this.#snapshot.table,
        times: config.timeouts,
        over: this.#closed.signal,
      }),
    };
    this.#observer.reloaded(result);
    return result;
  }

  drain(): Promise<number> {
    return this.#draining ??= this.#drain();
  }

  terminate(which: Selection, why: Closing): Promise<number> {
    const selected = this.registry.select(which);
    for (const connection of selected) connection.terminate(why);
    return Promise.resolve(selected.length);
  }

  connections(page: Page): Promise<readonly ConnectionInfo[]> {
    return Promise.resolve(this.registry.page(page));
  }

  count({ subnet, id }: Counted): Promise<ConnectionCounts> {
    let [ofSubnet, ofId] = [0, 0];
    for (const connection of this.registry) {
      if (connection.id === id) ofId += 1;
      if (subnetOf(connection.source.hostname) === subnet) ofSubnet += 1;
    }
    return Promise.resolve({ active: this.registry.active, ofSubnet, ofId });
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

  get measured(): MetricsSource {
    return metricsSource(this);
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #snapshotOf(config: Config, table: RouteTable, read?: ReadFile): Snapshot {
    return {
      table,
      idBytes: config.limits.id_bytes,
      forwardId: config.forward_id,
      idDeadlines: this.#timeouts.of("id", config.timeouts.id),
      connectDeadlines: this.#timeouts.of("connect", config.timeouts.connect),
      idleLimits: config.timeouts,
      ...this.#dialing.settings(config, read),
    };
  }

  async #drain(): Promise<number> {
    const last = this.registry.total;
    const { timeouts } = this.#config;
    const left = () => [...this.registry].filter(({ conn }) => conn <= last);
    const terminated = await drainConnections(left, timeouts, SHUTDOWN, this.#whenEnded(last));
    for (const connection of this.registry) {
      // late arrivals that are still silent
      if (connection.id === undefined && !connection.rejection) {
        connection.terminate(SHUTDOWN.closing, SHUTDOWN.refusal);
      }
    }
    await sleep(REJECTIONS_MS, this.#whenEnded());
    await this.close();
    return terminated;
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
    this.#timeouts.expireAll();
    this.#dialing.release();
    await ended;
    this.#dialing.close();
    this.#timeouts[Symbol.dispose]();
  }
}

const SHUTDOWN: DrainEnd = { closing: { reason: "drain", closedBy: "balancer" }, refusal: SHUTTING_DOWN };
