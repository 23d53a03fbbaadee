/** The state of Redis, and counts of its use, as plain data for other threads. */

/** Results of look-ups. `cached` and `stale` are answered without Redis, the latter while it is unavailable. */
export const LOOKUP_RESULTS = ["cached", "found", "unknown", "stale", "unavailable", "invalid"] as const;

/** The result of a look-up. */
export type LookupResult = typeof LOOKUP_RESULTS[number];

/** The state of the connection to Redis. */
export interface RedisState {
  readonly up: boolean;
  /** Whether its IDs can be routed: it is up, or the cache has IDs that may still be used. */
  readonly serving: boolean;
  /** One human-readable line. */
  readonly text: string;
}

/** The state, and counts since the start, or since a reload added `redis`. */
export interface RedisStats extends RedisState {
  readonly lookups: Readonly<Record<LookupResult, number>>;
  /** Answered requests, each for one ID or more. */
  readonly requests: number;
  /** Their total time. */
  readonly requestSeconds: number;
  /** Attempts to connect. */
  readonly connects: { readonly success: number; readonly failure: number };
  /** Reported changes of the hash. */
  readonly invalidations: number;
  /** IDs in the cache. */
  readonly cached: number;
}

/**
 * The sum over threads, each of which has a connection and a cache: up if all are, serving if one is. Undefined for
 * none.
 */
export function sumOfRedis(all: readonly RedisStats[]): RedisStats | undefined {
  const [first, ...others] = all;
  return first && others.reduce(sum, first);
}

/** `now` with the counts of `past` added. */
export function withPast(past: RedisStats | undefined, now: RedisStats): RedisStats {
  return past ? { ...sum(pastOfRedis(past), now), up: now.up, text: now.text } : now;
}

/** The counts of an ended thread, which no longer has a state or a cache. */
export function pastOfRedis(stats: RedisStats): RedisStats {
  return { ...stats, up: true, serving: false, text: "", cached: 0 };
}

function sum(one: RedisStats, other: RedisStats): RedisStats {
  const [worse] = one.up ? [other] : [one];
  const lookups = { ...one.lookups };
  for (const result of LOOKUP_RESULTS) lookups[result] += other.lookups[result];
  return {
    up: worse.up,
    serving: one.serving || other.serving,
    text: worse.text,
    lookups,
    requests: one.requests + other.requests,
    requestSeconds: one.requestSeconds + other.requestSeconds,
    connects: {
      success: one.connects.success + other.connects.success,
      failure: one.connects.failure + other.connects.failure,
    },
    invalidations: one.invalidations + other.invalidations,
    cached: one.cached + other.cached,
  };
}
