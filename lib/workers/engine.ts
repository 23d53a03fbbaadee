/** An engine of several workers. The main thread owns the configuration, the addresses and the health of servers. */

import type { Config } from "../config/config.ts";
import type { ReloadResult } from "../config/reload_result.ts";
import { serversOf } from "../config/servers.ts";
import type { DialSettings } from "../connection/dial_settings.ts";
import { Dialing } from "../connection/dialing.ts";
import { ORDERS, type Page } from "../connection/page.ts";
import type { ConnectionCounts, Counted, Selection } from "../connection/registry.ts";
import type { EngineFace, ReloadOptions, Routing, Stats } from "../engine/face.ts";
import { routingSource } from "../engine/metrics_source.ts";
import { Log } from "../observe/log.ts";
import type { MetricsSource, ThreadMetrics } from "../observe/metrics.ts";
import { type Closing, type ConnectionInfo, type Observer, Observers } from "../observe/observer.ts";
import { sumOfOpen } from "../observe/open_counts.ts";
import { difference } from "../route/diff.ts";
import { RouteTable } from "../route/table.ts";
import { readAhead, tlsFiles } from "../transport/tls/files.ts";
import { SharedThread } from "../shared/thread.ts";
import type { DialReport, SentHealth } from "../upstream/remote_health.ts";
import { WebhookWaker } from "../upstream/waker.ts";
import { Addresses, type PreparedAddresses } from "./addresses.ts";
import type { MainCalls } from "./calls.ts";
import { memoryOf, threadsOf } from "./count.ts";
import { WorkerGroup } from "./group.ts";
import { withDefaults, type WorkersOptions } from "./options.ts";
import { pastRedis, sum, sumOfCounts, sumOfReports } from "./totals.ts";
import { SerialQueue } from "./queue.ts";

/** Spreads an engine's work over worker threads, behind the interface of a single engine. */
export class WorkersEngine implements EngineFace {
  readonly #group: WorkerGroup;
  readonly #addresses = new Addresses((host) => this.#group.first.call("reserve", host));
  readonly #queue = new SerialQueue();
  readonly #observer: Observers;
  readonly #dialing: Dialing;
  readonly #waker = new WebhookWaker();
  #config: Config;
  /** The configuration as sent to workers: with the ports that the system chose. */
  #sent: Config;
  #routing: Routing & DialSettings;
  #draining: Promise<number> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(config: Config, options: WorkersOptions) {
    this.#config = this.#sent = config;
    this.#observer = new Observers(options.observers);
    const memory = memoryOf(config);
    // an index beyond the workers': it counts nothing, and reads the counts of all
    const counts = new SharedThread({ memory, index: threadsOf(config), onEviction: () => {} });
    this.#dialing = new Dialing({
      countOf: (key) => counts.ofServer(key),
      observer: { serverChanged: (...change) => this.#serverChanged(...change) },
    });
    const table = new RouteTable(config.routes, config.default, config.tableData);
    this.#routing = { table, ...this.#dialing.settings(config) };
    this.#group = new WorkerGroup({
      ...withDefaults(options),
      threads: threadsOf(config),
      memory,
      queue: this.#queue,
      config: () => this.#sent,
      healths: () => this.#healths,
      main: this.#calls,
    });
  }

  /**
   * Starts as many workers as `config` asks for, which serve its listeners.
   *
   * @throws Error naming the address that cannot be listened on; everything is closed again then.
   */
  static async start(config: Config, options: WorkersOptions): Promise<WorkersEngine> {
    const engine = new WorkersEngine(config, options);
    try {
      await engine.#start();
    } catch (error) {
      await engine.close();
      throw error;
    }
    return engine;
  }

  get config(): Config {
    return this.#config;
  }

  get addresses(): readonly Deno.NetAddr[] {
    return this.#addresses.all;
  }

  get active(): number {
    return sum(this.#group.living.map(({ lastReport }) => lastReport.active));
  }

  get draining(): boolean {
    return this.#draining !== undefined;
  }

  get snapshot(): Routing {
    return this.#routing;
  }

  get measured(): MetricsSource {
    return {
      threads: () => this.#threads(),
      workers: () => ({ serving: this.#group.living.length, died: this.#group.died }),
      ...routingSource(this.#routing),
    };
  }

  async reload(config: Config, options: ReloadOptions = {}): Promise<ReloadResult> {
    // in the queue it would wait for the end of the drain
    this.#ensureRunning();
    return await this.#queue.add(() => this.#reload(config, options));
  }

  drain(): Promise<number> {
    this.#group.stopReplacing();
    return this.#draining ??= this.#queue.add(() => this.#drain());
  }

  async terminate(which: Selection, why: Closing): Promise<number> {
    return sum(await this.#group.all("terminate", which, why));
  }

  async connections(page: Page): Promise<readonly ConnectionInfo[]> {
    const pages = await this.#group.each(async (thread) =>
      thread.inMainTime(await thread.ask("connections", [], page))
    );
    return pages.flat().sort(ORDERS[page.order ?? "age"]).slice(0, page.limit);
  }

  async count(which: Counted): Promise<ConnectionCounts> {
    return sumOfCounts(await this.#group.each((thread) => thread.ask("count", sumOfCounts([]), which)));
  }

  async stats(): Promise<Stats> {
    return {
      ...sumOfReports(await this.#group.reports(false), this.#group.past),
      routes: this.#routing.table.size,
      draining: this.draining,
    };
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close(false);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<void> {
    await this.#group.load();
    const addresses = await this.#addresses.prepare(this.#config.listeners);
    this.#sent = { ...this.#config, listeners: addresses.listeners };
    await this.#group.serve(this.#sent);
    addresses.commit();
    this.#dialing.use(this.#routing);
  }

  async #reload(config: Config, { observed = true }: ReloadOptions): Promise<ReloadResult> {
    const table = await RouteTable.build(config.routes, config.default, config.tableData);
    const change = await difference(this.#routing.table, table);
    const read = await readAhead(tlsFiles([], serversOf(config)));
    const routing = { table, ...this.#dialing.settings(config, read) };
    const { addresses, sent } = await this.#prepare(config);
    [this.#config, this.#sent, this.#routing] = [config, sent, routing];
    this.#dialing.use(routing);
    const healths = this.#healths;
    const affected = this.#group.each((thread) => thread.commit(healths));
    addresses.commit();
    const result = { ...change, connections: sum(await affected) };
    if (observed) this.#observer.reloaded(result);
    return result;
  }

  /** The first step of a reload. @throws Error if a worker cannot use `config`; nothing has changed then */
  async #prepare(config: Config): Promise<{ addresses: PreparedAddresses; sent: Config }> {
    try {
      const addresses = await this.#addresses.prepare(config.listeners);
      const sent = { ...config, listeners: addresses.listeners };
      await this.#group.each((thread) => thread.prepare(sent));
      this.#ensureRunning();
      return { addresses, sent };
    } catch (error) {
      await this.#group.all("abort");
      throw error;
    }
  }

  #ensureRunning(): void {
    if (this.draining || this.#closing) throw new Error("the balancer is shutting down");
  }

  get #healths(): readonly SentHealth[] {
    return [...this.#routing.upstreams.healths()];
  }

  #dialed(report: DialReport): void {
    const changed = this.#routing.upstreams.dialed(report);
    if (changed) this.#group.tell("useHealths", [changed]);
  }

  #serverChanged(...[server, state, why]: Parameters<Required<Observer>["serverChanged"]>): void {
    const { pools, upstreams } = this.#routing;
    const isIt = ({ pool, key }: SentHealth) => pool === server.pool && key === server.key;
    this.#group.tell("useHealths", [...upstreams.healths()].filter(isIt));
    pools.get(server.pool ?? "")?.refresh();
    this.#observer.serverChanged(server, state, why);
  }

  /** Handlers for the calls of workers. */
  get #calls(): Omit<MainCalls, "failed"> {
    return {
      write: async (lines) => await Log.current?.write(lines),
      evict: (...eviction) => this.#group.evict(...eviction),
      dialed: (report) => this.#dialed(report),
      wake: (...call) => this.#waker.wake(...call),
      reached: (route) => this.#waker.reached(route),
    };
  }

  async #drain(): Promise<number> {
    const { drain } = this.#config.timeouts;
    const terminated = sum(await this.#group.each((thread) => thread.endConnections(drain)));
    await (this.#closing ??= this.#close(true));
    return terminated;
  }

  async #close(graceful: boolean): Promise<void> {
    await this.#dialing.close();
    await this.#group.close(graceful);
  }

  async #threads(): Promise<readonly ThreadMetrics[]> {
    const open = sumOfOpen([]);
    const reports = await this.#group.reports(true);
    const { past } = this.#group;
    return [{ ...past, redis: pastRedis(past, reports), open }, ...reports];
  }
}
