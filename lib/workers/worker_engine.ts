/** A worker's engine, which handles the calls of the main thread. */

import { getLogger } from "@logtape/logtape";
import type { Config, RouteConfig } from "../config/config.ts";
import type { Page } from "../connection/page.ts";
import type { ConnectionCounts, Counted, Selection } from "../connection/registry.ts";
import { Engine } from "../engine.ts";
import type { PreparedReload } from "../engine/options.ts";
import { messageOf } from "../errors.ts";
import { CountingObserver } from "../observe/counters.ts";
import { Log } from "../observe/log.ts";
import type { Closing, ConnectionInfo } from "../observe/observer.ts";
import { countOpen } from "../observe/open_counts.ts";
import { tracing } from "../observe/tracing.ts";
import { Webhooks } from "../observe/webhooks.ts";
import type { MainCalls, Report, SentConfig, Started, WorkerCalls, WorkerSettings } from "./calls.ts";
import { shareLingering } from "../transport/linger.ts";
import type { Eviction } from "../shared/eviction.ts";
import { SharedThread } from "../shared/thread.ts";
import type { SentHealth } from "../upstream/remote_health.ts";
import { Channel, type Port } from "./channel.ts";
import { Presence } from "./presence.ts";
import { ReservedPorts } from "./reserved_ports.ts";

const log = getLogger("switchyard");

/** Handles the calls of the main thread. */
export class WorkerEngine implements WorkerCalls {
  /** The channel to the main thread. */
  readonly channel: Channel<MainCalls>;
  readonly #settings: WorkerSettings;
  readonly #counting: CountingObserver | undefined;
  readonly #webhooks = new Webhooks([]);
  readonly #presence = new Presence();
  readonly #ports = new ReservedPorts();
  #log: Log | undefined;
  #running: Engine | undefined;
  #routes: RouteConfig[] = [];
  #prepared: { readonly config: Config; readonly reload: PreparedReload } | undefined;

  constructor(settings: WorkerSettings, port: Port) {
    this.#settings = settings;
    this.channel = new Channel<MainCalls>(port, this);
    this.#counting = settings.counts ? new CountingObserver() : undefined;
  }

  addRoutes(routes: readonly RouteConfig[], at: number): void {
    if (at === 0) this.#routes = [];
    for (const route of routes) this.#routes.push(route);
  }

  reserve(host: string): Deno.NetAddr {
    return this.#ports.reserve(host);
  }

  start(sent: SentConfig, healths: readonly SentHealth[]): Started {
    const config = this.#received(sent);
    this.#log = Log.start(config.log, {
      write: async (lines) => {
        await this.channel.call("write", lines);
        return lines.length;
      },
    });
    this.#webhooks.configure(webhooksOf(config));
    shareLingering(this.#settings.threads);
    const observers = [this.#counting, this.#webhooks, tracing(this.#settings.version)];
    this.#running = Engine.start(config, {
      reusePort: true,
      listen: this.#ports.listen,
      shared: new SharedThread({
        memory: this.#settings.memory,
        index: this.#settings.index,
        onEviction: (...eviction) => this.channel.tell("evict", ...eviction),
      }),
      onDialed: (report) => this.channel.tell("dialed", report),
      waker: {
        wake: (...call) => this.channel.tell("wake", ...call),
        reached: (route) => this.channel.tell("reached", route),
      },
      observers: observers.filter((one) => one !== undefined),
    });
    this.useHealths(healths);
    return { timeOrigin: performance.timeOrigin, presence: this.#presence.port };
  }

  async prepare(sent: SentConfig): Promise<void> {
    const config = this.#received(sent);
    this.#prepared = { config, reload: await this.#engine.prepare(config) };
  }

  async commit(healths: readonly SentHealth[]): Promise<number> {
    if (!this.#prepared) throw new Error("commit without a prepared reload");
    const { config, reload } = this.#prepared;
    this.#prepared = undefined;
    const committed = reload.commit();
    this.useHealths(healths);
    const affected = await committed;
    this.#log?.change(config.log);
    this.#webhooks.configure(webhooksOf(config));
    return affected;
  }

  abort(): void {
    this.#prepared?.reload.abort();
    this.#prepared = undefined;
    this.#ports.release();
  }

  evict(eviction: Eviction): void {
    // before the start it may receive an eviction meant for its predecessor
    this.#running?.limiter.evict(eviction);
  }

  useHealths(healths: readonly SentHealth[]): void {
    this.#engine.snapshot.upstreams.useHealths(healths);
  }

  endConnections(): Promise<number> {
    return this.#engine.endConnections();
  }

  async close(graceful: boolean): Promise<Report> {
    if (graceful) await this.#engine.drainBacklogs();
    await this.#engine.close();
    await this.#webhooks[Symbol.asyncDispose]();
    await this.#log?.[Symbol.asyncDispose]();
    return this.report(true);
  }

  report(withOpen: boolean): Report {
    const { registry, snapshot } = this.#engine;
    return {
      active: registry.active,
      accepted: registry.total,
      bytes: registry.bytes(),
      counters: this.#counting?.counters,
      redis: snapshot.redis?.stats(),
      open: withOpen ? countOpen(registry) : undefined,
    };
  }

  terminate(which: Selection, why: Closing): Promise<number> {
    return this.#engine.terminate(which, why);
  }

  connections(page: Page): Promise<readonly ConnectionInfo[]> {
    return this.#engine.connections(page);
  }

  count(which: Counted): Promise<ConnectionCounts> {
    return this.#engine.count(which);
  }

  /** Reports an uncaught error. The state may be inconsistent, so the main thread ends this worker. */
  fail(error: unknown): void {
    if (error instanceof Error) log.debug(`worker ${this.#settings.index}: ${error.stack}`);
    // flushes buffered lines before the report
    void this.#log?.[Symbol.asyncDispose]();
    this.channel.tell("failed", messageOf(error));
  }

  get #engine(): Engine {
    if (!this.#running) throw new Error("the worker was not started");
    return this.#running;
  }

  #received(sent: SentConfig): Config {
    const config = { ...sent, routes: this.#routes };
    this.#routes = [];
    return config;
  }
}

/** Keeps the events of connections: all others belong to the main thread. */
function webhooksOf({ webhooks }: Config): Config["webhooks"] {
  return webhooks.flatMap((webhook) => {
    const events = CONNECTION_EVENTS.filter((event) => webhook.events?.includes(event) ?? true);
    return events.length > 0 ? [{ ...webhook, events }] : [];
  });
}

const CONNECTION_EVENTS = ["connect", "disconnect"] as const;
