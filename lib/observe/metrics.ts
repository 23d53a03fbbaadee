/** Metrics for Prometheus. No label has a value that a client can choose. */

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { HostPort } from "../config/config.ts";
import { REFUSAL_CODES } from "../errors.ts";
import { hostPortText } from "../util/text.ts";
import type { Closing, ConnectionInfo, DialReason, Observer } from "./observer.ts";

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

/** Upper bounds in seconds: from a handshake on the same machine to the longest that anybody waits. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Counts what happens to connections, in a registry of its own. */
export class Metrics implements Observer {
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
  readonly #idSeconds = this.#histogram("id_seconds", "Time from accept to the whole ID frame.");
  readonly #connectSeconds = this.#histogram("upstream_connect_seconds", "Time to connect to an upstream.");
  readonly #connectErrors = this.#counter(
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
    this.#source = source;
    this.#gauge("build_info", "Always 1; the labels have the versions.", ["version", "deno"])
      .set({ ...build }, 1);
    // a rate counts the first refusal too where the series began at 0
    for (const reason of Object.keys(REFUSAL_CODES)) this.#refused.inc({ reason: reason.toLowerCase() }, 0);
    for (const result of ["success", "failure"]) this.#reloads.inc({ result }, 0);
    this.#reloadedAt.setToCurrentTime();
  }

  /** The content type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything in Prometheus's text format. */
  text(): Promise<string> {
    const source = this.#source();
    if (source) this.#read(source);
    return this.#registry.metrics();
  }

  /** Refusals so far, by the name of the ERROR frame in lower case. */
  async refused(): Promise<Readonly<Record<string, number>>> {
    const { values } = await this.#refused.get();
    return Object.fromEntries(values.map(({ labels, value }) => [String(labels.reason), value]));
  }

  identified({ listener, transport, acceptedAt, identifiedAt = acceptedAt }: ConnectionInfo): void {
    this.#connections.inc({ listener, transport });
    this.#idSeconds.observe((identifiedAt - acceptedAt) / 1000);
  }

  dialFailed(_connection: ConnectionInfo, server: HostPort, reason: DialReason): void {
    this.#connectErrors.inc({ upstream: hostPortText(server), reason });
  }

  connected({ dialedAt, connectedAt }: ConnectionInfo): void {
    if (dialedAt === undefined || connectedAt === undefined) return;
    this.#connectSeconds.observe((connectedAt - dialedAt) / 1000);
  }

  closed({ id, listener, transport }: ConnectionInfo, { reason }: Closing): void {
    if (id === undefined) this.#connections.inc({ listener, transport });
    if (reason in REFUSAL_CODES) this.#refused.inc({ reason: reason.toLowerCase() });
  }

  reloaded(): void {
    this.#reloads.inc({ result: "success" });
    this.#reloadedAt.setToCurrentTime();
  }

  /** A reload has failed; the previous configuration is kept. */
  reloadFailed(): void {
    this.#reloads.inc({ result: "failure" });
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

  #histogram(name: string, help: string): Histogram {
    return new Histogram({ name: PREFIX + name, help, buckets: SECONDS, registers: [this.#registry] });
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
