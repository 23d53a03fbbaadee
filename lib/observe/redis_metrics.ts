/** Metrics of Redis, only for balancers with `redis`. */

import { Counter, Gauge, type Registry } from "prom-client";
import { LOOKUP_RESULTS, type RedisStats } from "./redis_stats.ts";

/** Adds the metrics of Redis to a registry, and updates them from its counts. */
export class RedisMetrics implements Disposable {
  readonly #registry: Registry;
  readonly #names: string[] = [];
  readonly #up: Gauge;
  readonly #lookups: Counter<"result">;
  readonly #requests: Counter;
  readonly #seconds: Counter;
  readonly #connects: Counter<"result">;
  readonly #invalidations: Counter;
  readonly #cached: Gauge;

  /** @param prefix Of the names. */
  constructor(prefix: string, registry: Registry) {
    this.#registry = registry;
    const named = (name: string, help: string) => {
      this.#names.push(prefix + name);
      return { name: prefix + name, help, registers: [registry] };
    };
    const labelNames = ["result"] as const;
    this.#up = new Gauge(named("redis_up", "Whether Redis is available."));
    this.#lookups = new Counter({
      ...named("redis_lookups_total", "Look-ups of IDs, by result."),
      labelNames,
    });
    this.#requests = new Counter(
      named("redis_requests_total", "Requests that Redis has answered, of one ID or more."),
    );
    this.#seconds = new Counter(
      named("redis_request_seconds_total", "Total time of these requests."),
    );
    this.#connects = new Counter({
      ...named("redis_connects_total", "Attempts to connect to Redis."),
      labelNames,
    });
    this.#invalidations = new Counter(
      named("redis_invalidations_total", "Changes of the hash reported by Redis."),
    );
    this.#cached = new Gauge(named("redis_cached_ids", "IDs in the cache."));
  }

  /** Sets the values to `stats`. */
  read(stats: RedisStats): void {
    for (const name of this.#names) this.#registry.getSingleMetric(name)?.reset();
    this.#up.set(stats.up ? 1 : 0);
    for (const result of LOOKUP_RESULTS) this.#lookups.inc({ result }, stats.lookups[result]);
    this.#requests.inc(stats.requests);
    this.#seconds.inc(stats.requestSeconds);
    this.#connects.inc({ result: "success" }, stats.connects.success);
    this.#connects.inc({ result: "failure" }, stats.connects.failure);
    this.#invalidations.inc(stats.invalidations);
    this.#cached.set(stats.cached);
  }

  /** Removes the metrics. */
  [Symbol.dispose](): undefined {
    for (const name of this.#names) this.#registry.removeSingleMetric(name);
  }
}
