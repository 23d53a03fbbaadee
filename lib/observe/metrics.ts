/** Metrics for Prometheus. No label has a value that a client can choose. */

import { Counter, Gauge, Registry } from "prom-client";
import { type Counters, CountingObserver, sumOf } from "./counters.ts";
import { DurationHistogram } from "./duration_histogram.ts";
import { type OpenCounts, sumOfOpen } from "./open_counts.ts";
import { RedisMetrics } from "./redis_metrics.ts";
import { type RedisStats, sumOfRedis } from "./redis_stats.ts";

/** The counts of a thread that relays connections, or of threads that have ended. */
export interface ThreadMetrics {
  /** Undefined for the thread in which `Metrics` itself counts. */
  readonly counters?: Counters | undefined;
  readonly open?: OpenCounts | undefined;
  /** Bytes relayed since the start, including open connections. */
  readonly bytes: { readonly up: number; readonly down: number };
  /** The state and use of Redis; undefined without `redis`. */
  readonly redis?: RedisStats | undefined;
}

/** Values that are read at a scrape instead of being counted continuously. */
export interface MetricsSource {
  threads(): Promise<readonly ThreadMetrics[]>;
  /** Threads that accept and relay, and the number that have died since the start. */
  workers(): { readonly serving: number; readonly died: number };
  /** Rules in the routing table. */
  routes(): number;
  /** The servers of pools. */
  servers(): Iterable<{ readonly pool: string; readonly key: string; readonly up: boolean }>;
}

/** Labels of `build_info`. */
export interface BuildInfo {
  readonly version: string;
  readonly deno: string;
}

const PREFIX = "switchyard_";

/** Counts the events of connections; prom-client, with its own registry, receives the sums at a scrape. */
export class Metrics extends CountingObserver {
  readonly #source: () => MetricsSource | undefined;
  readonly #registry = new Registry();
  readonly #connections = this.#counter(
    "connections_total",
    "Connections that have sent an ID, or ended without one.",
    ["listener", "transport"],
  );
  readonly #active = this.#gauge("connections_active", "Open connections.", ["transport"]);
  readonly #refused = this.#counter("refused_total", "Refused connections, by the name of the ERROR frame.", [
    "reason",
  ]);
  readonly #relayed = this.#counter(
    "relayed_bytes_total",
    "Bytes relayed, including open connections.",
    [
      "direction",
    ],
  );
  readonly #identifying = this.#durations("id_seconds", "Time from accept to the whole ID frame.");
  readonly #connecting = this.#durations("upstream_connect_seconds", "Time to connect to an upstream.");
  readonly #dialErrors = this.#counter(
    "upstream_connect_errors_total",
    "Failed attempts to connect to an upstream.",
    ["upstream", "reason"],
  );
  readonly #up = this.#gauge("upstream_up", "Whether a server of a pool gets new connections.", [
    "pool",
    "upstream",
  ]);
  readonly #upstreamActive = this.#gauge("upstream_connections_active", "Open connections to an upstream.", [
    "upstream",
  ]);
  readonly #routes = this.#gauge("routes", "Rules in the routing table.");
  readonly #workers = this.#gauge("workers", "Threads that accept and relay.");
  readonly #deaths = this.#counter("worker_deaths_total", "Workers that have died and were replaced.");
  #redis: RedisMetrics | undefined;
  readonly #reloads = this.#counter("config_reloads_total", "Reloads of the configuration.", ["result"]);
  readonly #reloadedAt = this.#gauge(
    "config_last_reload_success_timestamp_seconds",
    "When the configuration in use was loaded, in seconds since 1970.",
  );

  #loadedAt = new Date();

  /** @param source Returns undefined before the balancer runs. */
  constructor(source: () => MetricsSource | undefined, build: BuildInfo) {
    super();
    this.#source = source;
    this.#gauge("build_info", "Always 1; the labels have the versions.", ["version", "deno"])
      .set({ ...build }, 1);
    for (const result of ["success", "failure"]) this.#reloads.inc({ result }, 0);
    this.#loaded();
  }

  /** When the configuration in use was loaded. */
  get loadedAt(): Date {
    return this.#loadedAt;
  }

  /** The content type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything in Prometheus's text format. */
  async text(): Promise<string> {
    const source = this.#source();
    const threads = await source?.threads() ?? [];
    this.#readCounters(this.#sumOf(threads));
    this.#readOpen(sumOfOpen(threads.flatMap(({ open }) => open ?? [])));
    this.#readBytes(threads);
    this.#readRedis(sumOfRedis(threads.flatMap(({ redis }) => redis ?? [])));
    if (source) this.#read(source);
    return await this.#registry.metrics();
  }

  /** Refusals so far, by the name of the ERROR frame in lower case. */
  async refused(): Promise<Readonly<Record<string, number>>> {
    const { refused } = this.#sumOf(await this.#source()?.threads() ?? []);
    return Object.fromEntries(
      Object.entries(refused).map(([reason, count]) => [reason.toLowerCase(), count]),
    );
  }

  reloaded(): void {
    this.#reloads.inc({ result: "success" });
    this.#loaded();
  }

  /** A reload has failed; the previous configuration is kept. */
  reloadFailed(): void {
    this.#reloads.inc({ result: "failure" });
  }

  #loaded(): void {
    this.#loadedAt = new Date();
    this.#reloadedAt.set(this.#loadedAt.getTime() / 1000);
  }

  #sumOf(threads: readonly ThreadMetrics[]): Counters {
    return sumOf([this.counters, ...threads.flatMap(({ counters }) => counters ?? [])]);
  }

  #readCounters({ connections, refused, identifying, connecting, dialErrors }: Counters): void {
    for (const counter of [this.#connections, this.#refused, this.#dialErrors]) counter.reset();
    for (const [listener, counts] of connections) {
      for (const [transport, count] of Object.entries(counts)) {
        // an unused transport has no series
        if (count > 0) this.#connections.inc({ listener, transport }, count);
      }
    }
    // a rate counts the first refusal only if the series began at 0
    for (const [reason, count] of Object.entries(refused)) {
      this.#refused.inc({ reason: reason.toLowerCase() }, count);
    }
    for (const [upstream, reasons] of dialErrors) {
      for (const [reason, count] of reasons) this.#dialErrors.inc({ upstream, reason }, count);
    }
    this.#identifying.durations = identifying;
    this.#connecting.durations = connecting;
  }

  #readOpen({ transports, upstreams }: OpenCounts): void {
    for (const [transport, count] of Object.entries(transports)) this.#active.set({ transport }, count);
    this.#upstreamActive.reset();
    for (const [upstream, count] of upstreams) this.#upstreamActive.set({ upstream }, count);
  }

  #readBytes(threads: readonly ThreadMetrics[]): void {
    this.#relayed.reset();
    for (const { bytes } of threads) {
      for (const [direction, count] of Object.entries(bytes)) this.#relayed.inc({ direction }, count);
    }
  }

  #readRedis(stats: RedisStats | undefined): void {
    if (stats) (this.#redis ??= new RedisMetrics(PREFIX, this.#registry)).read(stats);
    else this.#redis = this.#redis?.[Symbol.dispose]();
  }

  #read(source: MetricsSource): void {
    this.#up.reset();
    for (const { pool, key, up } of source.servers()) this.#up.set({ pool, upstream: key }, up ? 1 : 0);
    this.#routes.set(source.routes());
    const { serving, died } = source.workers();
    this.#workers.set(serving);
    this.#deaths.reset();
    this.#deaths.inc(died);
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[] = []): Counter<L> {
    return new Counter({ name: PREFIX + name, help, labelNames, registers: [this.#registry] });
  }

  #gauge<L extends string>(name: string, help: string, labelNames: L[] = []): Gauge<L> {
    return new Gauge({ name: PREFIX + name, help, labelNames, registers: [this.#registry] });
  }

  #durations(name: string, help: string): DurationHistogram {
    return new DurationHistogram({ name: PREFIX + name, help, registers: [this.#registry] });
  }
}
