/** Routes in Redis: a hash that any number of balancers share. */

import type { RedisConfig } from "../../config/config.ts";
import { messageOf, Refusal } from "../../errors.ts";
import { type LookupResult, type RedisState, type RedisStats, withPast } from "../../observe/redis_stats.ts";
import { sleep } from "../../util/async.ts";
import { quote } from "../../util/text.ts";
import type { Route } from "../table.ts";
import { Availability } from "./availability.ts";
import { BoundedCache } from "./cache.ts";
import { Connector, readFields } from "./connector.ts";
import { InvalidValue, InvalidValues } from "./invalid_values.ts";
import type { Link } from "./link.ts";
import { hashOf } from "./locator.ts";
import { Requests } from "./requests.ts";
import { Session } from "./session.ts";
import { parseTarget, redisRoute, type RedisTarget } from "./value.ts";

/** Most unknown IDs that are remembered. They are kept apart, so that a flood of them displaces no known ID. */
const MOST_UNKNOWN = 10_000;

interface Known {
  readonly target: RedisTarget;
  /** The entry is up to date while this is the current epoch. */
  readonly epoch: number;
}

/** Most values that are kept for sharing between IDs. */
const MOST_VALUES = 10_000;

/** Interval at which `retire` checks for pending look-ups, in milliseconds. */
const RETIRE_STEP_MS = 10;

/** The last epoch of any instance, since one may take over the cache of another. */
let lastEpoch = 0;

/**
 * Looks IDs up in a hash, with a cache in between.
 *
 * Redis reports that the hash has changed (client-side caching), but not which field. So each change begins a new
 * epoch, and entries of earlier epochs are looked up again when they are next needed. They are used as they are only while
 * Redis is unavailable. A lost connection begins an epoch too, since changes may have been missed.
 */
export class RedisRoutes implements AsyncDisposable {
  readonly #config: RedisConfig;
  readonly #connector: Connector;
  readonly #session: Session;
  readonly #requests: Requests<RedisTarget | undefined>;
  readonly #known: BoundedCache<Known>;
  /** By the text of their value. */
  readonly #values = new BoundedCache<Known>(MOST_VALUES);
  /** Until when they count as unknown in an epoch, in milliseconds of `performance.now`. */
  readonly #unknown = new BoundedCache<{ readonly epoch: number; readonly until: number }>(MOST_UNKNOWN);
  readonly #lookups = { cached: 0, found: 0, unknown: 0, stale: 0, unavailable: 0, invalid: 0 };
  readonly #availability: Availability;
  readonly #closed = new AbortController();
  readonly #invalid: InvalidValues;
  #epoch = ++lastEpoch;
  #invalidations = 0;
  #past: RedisStats | undefined;

  /**
   * @param previous Its cache is taken over if it belongs to the same hash.
   * @param quiet Whether another thread logs when Redis is unavailable.
   */
  constructor(config: RedisConfig, previous?: RedisRoutes, quiet = false) {
    this.#config = config;
    this.#connector = new Connector(config);
    this.#invalid = new InvalidValues(config.key);
    this.#known = previous && hashOf(previous.#config) === hashOf(config)
      ? previous.#known
      : new BoundedCache(config.cache_size);
    const cached = () => this.#known.size;
    this.#availability = new Availability({ place: this.text, stale: config.stale, cached, quiet });
    this.#requests = new Requests({
      read: (link, ids) => readFields(link, config.key, ids),
      answer: (id, value, epoch) => this.#answer(id, value, epoch),
      epoch: () => this.#epoch,
      timeout: config.timeout,
    });
    this.#session = new Session({
      connect: () => this.#connector.connect(() => this.#changed()),
      onConnected: (link) => this.#connected(link),
      onLost: (reason) => this.#lost(reason),
      onFailed: (reason) => this.#failed(reason),
    });
  }

  /** Whether `config` means the same hash and connection, so that both cache and connection can be kept. */
  isFor(config: RedisConfig | undefined): boolean {
    return JSON.stringify(config) === JSON.stringify(this.#config);
  }

  /** Where the hash is, for messages. */
  get text(): string {
    return `hash ${this.#config.key} at ${this.#connector.locator.text}`;
  }

  /**
   * The route of `id`; undefined if the hash has none. Returns at once if the cached answer is up to date, or if Redis
   * is unavailable.
   *
   * @throws {Refusal} UPSTREAM_UNAVAILABLE, also as a rejection, if Redis is unavailable and `id` is not cached, or if
   *   its value is invalid.
   */
  find(id: string): Route | undefined | Promise<Route | undefined> {
    const known = this.#known.get(id);
    if (this.#availability.link) {
      if (known?.epoch === this.#epoch) return this.#count("cached", known.target, id);
      if (!known && this.#isUnknown(id)) return this.#count("cached", undefined, id);
    } else {
      if (known && this.#availability.isStaleUsable) return this.#count("stale", known.target, id);
      const { failure } = this.#availability;
      if (failure) throw this.#unavailable(id, failure);
    }
    return this.#lookUp(id, known);
  }

  /** Whether any look-up is pending. */
  get isBusy(): boolean {
    return !this.#requests.idle;
  }

  /** The state of the connection. */
  state(): RedisState {
    return this.#availability.state();
  }

  stats(): RedisStats {
    const { count, milliseconds } = this.#requests.answered;
    return withPast(this.#past, {
      ...this.state(),
      lookups: { ...this.#lookups },
      requests: count,
      requestSeconds: milliseconds / 1000,
      connects: { ...this.#availability.connects },
      invalidations: this.#invalidations,
      cached: this.#known.size,
    });
  }

  /** Starts connecting. @param past The counts of the instance before, which are kept */
  start(past?: RedisStats): void {
    this.#past = past;
    this.#known.resize(this.#config.cache_size);
    this.#session.start();
  }

  /** Closes the connection once no look-up is pending, at the latest after `timeout`. */
  async retire(): Promise<void> {
    for (let left = this.#config.timeout; left > 0 && this.isBusy; left -= RETIRE_STEP_MS) {
      await sleep(RETIRE_STEP_MS, this.#closed.signal);
    }
    await this[Symbol.asyncDispose]();
  }

  /** Closes the connection. Pending look-ups fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#requests[Symbol.dispose]();
    await this.#session[Symbol.asyncDispose]();
  }

  async #lookUp(id: string, known: Known | undefined): Promise<Route | undefined> {
    try {
      const target = await this.#requests.get(id);
      return this.#count(target ? "found" : "unknown", target, id);
    } catch (error) {
      if (error instanceof InvalidValue) {
        throw this.#refused("invalid", `the route of ID ${quote(id)} is invalid`, error);
      }
      if (known && this.#availability.isStaleUsable) return this.#count("stale", known.target, id);
      throw this.#unavailable(id, error);
    }
  }

  /** Caches an answer of Redis. @throws {InvalidValue} */
  #answer(id: string, value: string | null, epoch: number): RedisTarget | undefined {
    const known = value === null ? undefined : this.#knownOf(value, epoch);
    if (known) {
      this.#known.set(id, known);
      return known.target;
    }
    this.#known.delete(id);
    if (value !== null) throw this.#invalid.report(id, value);
    this.#unknown.set(id, { epoch, until: performance.now() + this.#config.negative_ttl });
    return undefined;
  }

  /** IDs with the same value share an entry: with one object per ID, garbage collection took longer. */
  #knownOf(value: string, epoch: number): Known | undefined {
    const same = this.#values.get(value);
    if (same?.epoch === epoch) return same;
    const target = same?.target ?? parseTarget(value);
    if (!target) return undefined;
    const known = { target, epoch };
    this.#values.set(value, known);
    return known;
  }

  #isUnknown(id: string): boolean {
    const unknown = this.#unknown.get(id);
    return unknown?.epoch === this.#epoch && performance.now() < unknown.until;
  }

  #count(result: LookupResult, target: RedisTarget | undefined, id: string): Route | undefined {
    this.#lookups[result] += 1;
    return target && redisRoute(id, target);
  }

  #unavailable(id: string, cause: unknown): Refusal {
    return this.#refused(
      "unavailable",
      `the route of ID ${quote(id)} cannot be looked up now; try again later`,
      cause,
    );
  }

  #refused(result: LookupResult, message: string, cause: unknown): Refusal {
    this.#lookups[result] += 1;
    return new Refusal("UPSTREAM_UNAVAILABLE", message, {
      cause: new Error(`redis: ${messageOf(cause)}`, { cause }),
    });
  }

  /** The hash has changed: cached entries may be outdated. */
  #changed(): void {
    this.#invalidations += 1;
    this.#epoch = ++lastEpoch;
  }

  #connected(link: Link): void {
    this.#availability.connected(link);
    this.#requests.use(link);
  }

  #lost(reason: Error): void {
    this.#epoch = ++lastEpoch;
    this.#availability.lost(reason);
    this.#requests.use(undefined);
  }

  #failed(reason: Error): void {
    this.#availability.failed(reason);
    this.#requests.fail(reason);
  }
}
