/** Sums over workers. */

import type { ConnectionCounts, RelayedBytes } from "../connection/registry.ts";
import type { Stats } from "../engine/face.ts";
import { type Counters, sumOf } from "../observe/counters.ts";
import { pastOfRedis, type RedisStats, sumOfRedis } from "../observe/redis_stats.ts";
import type { Report } from "./calls.ts";

/** The counts of workers that have ended. */
export interface Past {
  readonly accepted: number;
  readonly bytes: RelayedBytes;
  readonly counters: Counters;
  readonly redis: RedisStats | undefined;
}

/** Before any worker has ended. */
export const NO_PAST: Past = {
  accepted: 0,
  bytes: { up: 0, down: 0 },
  counters: sumOf([]),
  redis: undefined,
};

/** `past` and the last report of a worker that has ended. */
export function addToPast(past: Past, { accepted, bytes, counters, redis }: Report): Past {
  return {
    accepted: past.accepted + accepted,
    bytes: sumOfBytes([past.bytes, bytes]),
    counters: counters ? sumOf([past.counters, counters]) : past.counters,
    redis: sumOfRedis([past.redis, redis].flatMap((stats) => stats ? pastOfRedis(stats) : [])),
  };
}

/** The counts of Redis in `past`, unless no worker uses it any more. */
export function pastRedis({ redis }: Past, reports: readonly Report[]): RedisStats | undefined {
  return reports.some((report) => report.redis) ? redis : undefined;
}

/** The sum of `numbers`. */
export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** The sum of byte counts. */
function sumOfBytes(all: readonly RelayedBytes[]): RelayedBytes {
  return { up: sum(all.map(({ up }) => up)), down: sum(all.map(({ down }) => down)) };
}

/** Open connections over all workers. */
export function sumOfCounts(all: readonly ConnectionCounts[]): ConnectionCounts {
  return {
    active: sum(all.map(({ active }) => active)),
    silent: sum(all.map(({ silent }) => silent)),
    ofSubnet: sum(all.map(({ ofSubnet }) => ofSubnet)),
    ofId: sum(all.map(({ ofId }) => ofId)),
  };
}

/** Totals over all workers, including those that have ended. */
export function sumOfReports(
  reports: readonly Report[],
  past: Past,
): Pick<Stats, "active" | "accepted" | "bytes" | "redis"> {
  const all = [past, ...reports];
  return {
    active: sum(reports.map(({ active }) => active)),
    accepted: sum(all.map(({ accepted }) => accepted)),
    bytes: sumOfBytes(all.map(({ bytes }) => bytes)),
    redis: sumOfRedis(
      [pastRedis(past, reports), ...reports.map(({ redis }) => redis)].flatMap((one) => one ?? []),
    ),
  };
}
