/** Metrics for Prometheus. No label has a value that a client can choose. */

import { Counter, Gauge, Registry } from "prom-client";
import { hostPortText } from "../util/text.ts";
import { type Counters, CountingObserver, sumOf } from "./counters.ts";
import { DurationHistogram } from "./duration_histogram.ts";
import type { ConnectionInfo } from "./observer.ts";

/** What is read when metrics are scraped, rather than counted as it happens. */
export interface MetricsSource {
  /** The open connections. */
  connections(): Iterable<Pick<ConnectionInfo, "transport" | "upstream" | "connectedAt">>;
  /** Bytes relayed since the start, those of open connections included. */
  bytes(): { readonly up: number; readonly down: number };
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

/** Counts what happens to connections; prom-client, which has a registry of its own, gets the sums at a scrape. */
export class Metrics extends CountingObserver {
  readonly #source: () => MetricsSource | undefined;
  readonly #registry = new Registry();
  readonly #connections = this.#counter(
    "connections_total",
    "Connections that have sent an ID, or ended before they did.",
    ["listener", "transport"],
  );
  readonly #active = this.#gauge("connections_active", "Open connections.", ["transport"]);
  readonly #refused = this.#counter("refused_total", "Refused connections, by the name of the ERROR frame.", [
    "reason",
  ]);
  readonly #relayed = this.#counter(
    "relayed_bytes_total",
    "Bytes relayed, those of open connections included.",
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
  readonly #reloads = this.#counter("config_reloads_total", "Reloads of the configuration.", ["result"]);
  readonly #reloadedAt = this.#gauge(
    "config_last_reload_success_timestamp_seconds",
    "When the configuration in use was loaded, in seconds since 1970.",
  );

  /** @param source Undefined from it before the balancer runs. */
  constructor(source: () => MetricsSource | undefined, build: BuildInfo) {
    super();
    this.#source = source;
    this.#gauge("build_info", "Always 1; the labels have the versions.", ["version", "deno"])
      .set({ ...build }, 1);
    for (const result of ["success", "failure"]) this.#reloads.inc({ result }, 0);
    this.#reloadedAt.setToCurrentTime();
  }

  /** The content type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything in Prometheus's text format. */
  text(): Promise<string> {
    this.#readCounters(sumOf(this.#threads()));
    const source = this.#source();
    if (source) this.#read(source);
    return this.#registry.metrics();
  }

  /** Refusals so far, by the name of the ERROR frame in lower case. */
  refused(): Promise<Readonly<Record<string, number>>> {
    const { refused } = sumOf(this.#threads());
    const entries = Object.entries(refused).map(([reason, count]) => [reason.toLowerCase(), count]);
    return Promise.resolve(Object.fromEntries(entries));
  }

  reloaded(): void {
    this.#reloads.inc({ result: "success" });
    this.#reloadedAt.setToCurrentTime();
  }

  /** A reload has failed; the previous configuration is kept. */
  reloadFailed(): void {
    this.#reloads.inc({ result: "failure" });
  }

  /** The counters of every thread: so far there is one. */
  #threads(): Iterable<Counters> {
    return [this.counters];
  }

  #readCounters({ connections, refused, identifying, connecting, dialErrors }: Counters): void {
    for (const counter of [this.#connections, this.#refused, this.#dialErrors]) counter.reset();
    for (const [listener, counts] of connections) {
      for (const [transport, count] of Object.entries(counts)) {
        // a transport that nobody has used has no series
        if (count > 0) this.#connections.inc({ listener, transport }, count);
      }
    }
    // a rate counts the first refusal too where the series began at 0
    for (const [reason, count] of Object.entries(refused)) {
      this.#refused.inc({ reason: reason.toLowerCase() }, count);
    }
    for (const [upstream, reasons] of dialErrors) {
      for (const [reason, count] of reasons) this.#dialErrors.inc({ upstream, reason }, count);
    }
    this.#identifying.durations = identifying;
    this.#connecting.durations = connecting;
  }

  /** Reads what is not counted as it happens. */
  #read(source: MetricsSource): void {
    this.#readConnections(source);
    this.#up.reset();
    for (const { pool, key, up } of source.servers()) this.#up.set({ pool, upstream: key }, up ? 1 : 0);
    this.#routes.set(source.routes());
    this.#relayed.reset();
    for (const [direction, bytes] of Object.entries(source.bytes())) this.#relayed.inc({ direction }, bytes);
  }

  /** Counts first: setting a gauge for each of 10,000 connections would block the thread for 10 ms. */
  #readConnections(source: MetricsSource): void {
    const transports = new Map([["tcp", 0], ["websocket", 0]]);
    const upstreams = new Map<string, number>();
    for (const { transport, upstream, connectedAt } of source.connections()) {
      increment(transports, transport);
      if (upstream && connectedAt !== undefined) increment(upstreams, hostPortText(upstream));
    }
    for (const [transport, count] of transports) this.#active.set({ transport }, count);
    this.#upstreamActive.reset();
    for (const [upstream, count] of upstreams) this.#upstreamActive.set({ upstream }, count);
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

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
