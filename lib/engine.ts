/** One thread's listeners, connections and settings. */

import { Limiter } from "./admission/limiter.ts";
import type { Config } from "./config/config.ts";
import type { ReloadResult } from "./config/reload_result.ts";
import { serversOf } from "./config/servers.ts";
import { serveConnection } from "./connection.ts";
import { Dialing } from "./connection/dialing.ts";
import { IdleTimeout } from "./connection/idle_timeout.ts";
import type { Page } from "./connection/page.ts";
import {
  type ConnectionCounts,
  ConnectionRegistry,
  type Counted,
  type Selection,
} from "./connection/registry.ts";
import { endRemoved } from "./connection/removed_routes.ts";
import type { Current, Snapshot } from "./connection/snapshot.ts";
import { Timeouts } from "./connection/timeouts.ts";
import type { EngineFace, ReloadOptions, Stats } from "./engine/face.ts";
import { metricsSource } from "./engine/metrics_source.ts";
import type { EngineOptions, PreparedReload } from "./engine/options.ts";
import { endConnections, SHUTDOWN } from "./engine/shutdown.ts";
import { Listeners, type PreparedListeners } from "./listen/listeners.ts";
import { AccessLog } from "./observe/access_log.ts";
import type { MetricsSource } from "./observe/metrics.ts";
import { type Closing, type ConnectionInfo, Observers } from "./observe/observer.ts";
import { difference } from "./route/diff.ts";
import { RouteTable } from "./route/table.ts";
import { readAhead, type ReadFile, tlsFiles } from "./transport/tls/files.ts";

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

  private constructor(config: Config, options: EngineOptions) {
    const { listen, reusePort, shared, connect, lookup, onDialed, waker, observers = [] } = options;
    this.#config = config;
    this.#accessLog = new AccessLog(config.log);
    this.#observer = new Observers([this.#accessLog, ...observers]);
    const countOf = shared && ((key: string) => shared.ofServer(key));
    this.#dialing = new Dialing({ connect, lookup, countOf, onDialed, waker, observer: this.#observer });
    this.registry = new ConnectionRegistry(this.#observer, shared && (() => shared.nextNumber()));
    this.limiter = new Limiter(config, shared);
    this.#snapshot = this.#snapshotOf(
      config,
      new RouteTable(config.routes, config.default, config.tableData),
    );
    this.#listeners = new Listeners(
      (socket, listener) => void serveConnection(socket, listener, this),
      { listen, reusePort },
    );
  }

  /**
   * Opens every listener of `config` and serves.
   *
   * @throws Error naming the address that cannot be listened on; everything is closed again then.
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

  async reload(config: Config, { observed = true }: ReloadOptions = {}): Promise<ReloadResult> {
    const before = this.#snapshot.table;
    const prepared = await this.prepare(config);
    const change = await difference(before, prepared.table).catch((error) => {
      prepared.abort();
      throw error;
    });
    const result = { ...change, connections: await prepared.commit() };
    if (observed) this.#observer.reloaded(result);
    return result;
  }

  /**
   * The first step of a reload: everything that can fail. Only one at a time, until it is committed or aborted.
   *
   * @throws Error if a listener cannot be opened, or while draining; nothing has changed then.
   */
  async prepare(config: Config): Promise<PreparedReload> {
    const table = await RouteTable.build(config.routes, config.default, config.tableData);
    const read = await readAhead(tlsFiles(config.listeners, serversOf(config)));
    this.#ensureRunning();
    const snapshot = this.#snapshotOf(config, table, read);
    const listeners = this.#listeners.prepare(config.listeners, read);
    return {
      table,
      commit: () => {
        if (this.#isEnding) listeners.abort();
        this.#ensureRunning();
        return this.#commit(config, snapshot, listeners);
      },
      abort: () => listeners.abort(),
    };
  }

  async drain(): Promise<number> {
    const terminated = await this.endConnections();
    await this.close();
    return terminated;
  }

  /** The first step of a drain: from now on new connections are refused. */
  endConnections(): Promise<number> {
    return this.#draining ??= endConnections(this.registry, this.#config.timeouts, this.#closed.signal);
  }

  /** Resolves once no more connections arrive. Listeners accept until then: closing one drops its backlog. */
  drainBacklogs(): Promise<void> {
    return this.#listeners.drainBacklogs();
  }

  terminate(which: Selection, why: Closing): Promise<number> {
    const selected = this.registry.select(which);
    for (const connection of selected) connection.terminate(why);
    return Promise.resolve(selected.length);
  }

  connections(page: Page): Promise<readonly ConnectionInfo[]> {
    return Promise.resolve(this.registry.page(page));
  }

  count(which: Counted): Promise<ConnectionCounts> {
    return Promise.resolve(this.registry.count(which));
  }

  stats(): Promise<Stats> {
    return Promise.resolve({
      active: this.registry.active,
      accepted: this.registry.total,
      bytes: this.registry.bytes(),
      routes: this.#snapshot.table.size,
      draining: this.draining,
      redis: this.#snapshot.redis?.stats(),
    });
  }

  get measured(): MetricsSource {
    return metricsSource(this.registry, this.#snapshot);
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
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

  get #isEnding(): boolean {
    return this.draining || this.#closing !== undefined;
  }

  #ensureRunning(): void {
    if (this.#isEnding) throw new Error("the balancer is shutting down");
  }

  #commit(config: Config, snapshot: Snapshot, listeners: PreparedListeners): Promise<number> {
    const before = this.#snapshot.table;
    listeners.commit();
    this.#config = config;
    this.#snapshot = snapshot;
    this.#dialing.use(snapshot);
    this.limiter.configure(config);
    this.#accessLog.configure(config.log);
    this.idleTimeout.ensureInterval(config.timeouts);
    return endRemoved({
      before,
      registry: this.registry,
      after: () => this.#snapshot.table,
      times: config.timeouts,
      over: this.#closed.signal,
    });
  }

  async #close(): Promise<void> {
    this.#closed.abort();
    this.idleTimeout[Symbol.dispose]();
    await this.#listeners.close();
    const ended = this.registry.terminateAll(SHUTDOWN.closing);
    // a connection ends after its dial, and timeouts.connect may be longer than the shutdown may take
    this.#timeouts.expireAll();
    this.#dialing.release();
    await ended;
    await this.#dialing.close();
    this.#timeouts[Symbol.dispose]();
  }
}
