/** A source with a value for every metric. */

import type { MetricsSource } from "../../lib/observe/metrics.ts";
import type { RedisStats } from "../../lib/observe/redis_stats.ts";

/** Counts of Redis, each different. */
export const redisStats: RedisStats = {
  up: true,
  serving: true,
  text: "connected",
  lookups: { cached: 1, found: 2, unknown: 3, stale: 4, unavailable: 5, invalid: 6 },
  requests: 7,
  requestSeconds: 0.5,
  connects: { success: 8, failure: 9 },
  invalidations: 10,
  cached: 11,
};

/** No connections, and Redis is used. */
export const everything: MetricsSource = {
  threads: () => Promise.resolve([{ bytes: { up: 0, down: 0 }, redis: redisStats }]),
  workers: () => ({ serving: 1, died: 0 }),
  routes: () => 0,
  servers: () => [],
};
