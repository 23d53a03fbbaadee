import { newCounters } from "../../lib/observe/counters.ts";
import type { Report } from "../../lib/workers/calls.ts";
import { addToPast, NO_PAST, sumOfReports } from "../../lib/workers/totals.ts";
import { assertEquals } from "../assert.ts";
import { redisStats } from "../observe/metrics_source.ts";

const lastReport: Report = {
  active: 1,
  accepted: 1,
  bytes: { up: 0, down: 0 },
  counters: undefined,
  redis: undefined,
  open: undefined,
};

Deno.test("totals include the counts of ended workers, but not their connections as open", () => {
  const report = (count: number): Report => ({
    active: count,
    accepted: 10 * count,
    bytes: { up: 100 * count, down: 1000 * count },
    counters: undefined,
    redis: undefined,
    open: undefined,
  });
  const past = { accepted: 5, bytes: { up: 6, down: 7 }, counters: newCounters(), redis: undefined };
  assertEquals(sumOfReports([report(1), report(2)], past), {
    active: 3,
    accepted: 35,
    bytes: { up: 306, down: 3007 },
    redis: undefined,
  });
});

Deno.test("look-ups of an ended worker stay counted as long as others use Redis, but its cache does not", () => {
  const died = { ...lastReport, redis: { ...redisStats, up: false, serving: false, text: "away" } };
  const past = addToPast(addToPast(NO_PAST, died), died);
  const { redis } = sumOfReports([{ ...lastReport, redis: redisStats }], past);
  assertEquals([redis?.up, redis?.text, redis?.serving], [true, "connected", true]);
  assertEquals([redis?.requests, redis?.lookups.found, redis?.connects.failure], [21, 6, 27]);
  assertEquals(redis?.cached, 11);
  assertEquals(sumOfReports([lastReport], past).redis, undefined);
});
