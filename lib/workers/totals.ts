/** Sums over workers. */

import type { ConnectionCounts, RelayedBytes } from "../connection/registry.ts";
import type { Stats } from "../engine/face.ts";
import type { Counters } from "../observe/counters.ts";
import { sumOfRedis } from "../observe/redis_stats.ts";
import type { Report } from "./calls.ts";

/** The counts of workers that have ended. */
export interface Past {
  readonly accepted: number;
  readonly bytes: RelayedBytes;
  readonly counters: Counters;
}

/** The sum of `numbers`. */
export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** The sum of byte counts. */
export function sumOfBytes(all: readonly RelayedBytes[]): RelayedBytes {
  return { up: sum(all.map(({ up }) => up)), down: sum(all.map(({ down }) => down)) };
}

/** Open connections over all workers. */
export function sumOfCounts(all: readonly ConnectionCounts[]): ConnectionCounts {
  return {
    active: sum(all.map(({ active }) => active)),
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
    redis: sumOfRedis(reports.flatMap(({ redis }) => redis ?? [])),
  };
}
