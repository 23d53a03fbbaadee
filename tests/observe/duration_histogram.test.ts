import { Registry } from "prom-client";
import { newCounters } from "../../lib/observe/counters.ts";
import { DurationHistogram } from "../../lib/observe/duration_histogram.ts";
import { assertEquals } from "../assert.ts";

Deno.test("a histogram that is set has cumulative buckets, a sum and a count, as prom-client writes them", async () => {
  const registry = new Registry();
  const histogram = new DurationHistogram({ name: "id_seconds", help: "Time.", registers: [registry] });
  const text = async () => (await registry.metrics()).split("\n").filter((line) => line !== "");
  const [help, type, first, ...others] = await text();
  assertEquals([help, type], ["# HELP id_seconds Time.", "# TYPE id_seconds histogram"]);
  assertEquals([first, ...others.slice(-3)], [
    'id_seconds_bucket{le="0.0005"} 0',
    'id_seconds_bucket{le="+Inf"} 0',
    "id_seconds_sum 0",
    "id_seconds_count 0",
  ]);
  const durations = newCounters().identifying;
  durations.buckets.fill(1);
  durations.sum = 60.5;
  histogram.durations = durations;
  const lines = await text();
  assertEquals(lines.slice(2, 5).map((line) => line.split(" ")[1]), ["1", "2", "3"]);
  assertEquals(lines.slice(-3), [
    'id_seconds_bucket{le="+Inf"} 15',
    "id_seconds_sum 60.5",
    "id_seconds_count 15",
  ]);
});
