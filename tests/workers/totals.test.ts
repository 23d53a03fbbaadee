import { newCounters } from "../../lib/observe/counters.ts";
import type { Report } from "../../lib/workers/calls.ts";
import { sumOfReports } from "../../lib/workers/totals.ts";
import { assertEquals } from "../assert.ts";

Deno.test("totals have what workers that have ended had counted, but their connections are not open", () => {
  const report = (count: number): Report => ({
    active: count,
    accepted: 10 * count,
    bytes: { up: 100 * count, down: 1000 * count },
    counters: undefined,
    redis: undefined,
    open: undefined,
  });
  const past = { accepted: 5, bytes: { up: 6, down: 7 }, counters: newCounters() };
  assertEquals(sumOfReports([report(1), report(2)], past), {
    active: 3,
    accepted: 35,
    bytes: { up: 306, down: 3007 },
    redis: undefined,
  });
});
