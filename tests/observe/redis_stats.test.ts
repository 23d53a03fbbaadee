import { sumOfRedis } from "../../lib/observe/redis_stats.ts";
import { assertEquals } from "../assert.ts";
import { redisStats } from "./metrics_source.ts";

Deno.test("counts of threads are summed, and the worst state is shown", () => {
  const unavailable = { ...redisStats, up: false, serving: false, text: "unavailable" };
  assertEquals(sumOfRedis([redisStats, unavailable, redisStats]), {
    up: false,
    serving: true,
    text: "unavailable",
    lookups: { cached: 3, found: 6, unknown: 9, stale: 12, unavailable: 15, invalid: 18 },
    requests: 21,
    requestSeconds: 1.5,
    connects: { success: 24, failure: 27 },
    invalidations: 30,
    cached: 33,
  });
  assertEquals(sumOfRedis([]), undefined);
});
