import { Metrics } from "../../lib/observe/metrics.ts";
import { assertEquals } from "../assert.ts";
import { everything, redisStats } from "./metrics_source.ts";

const BUILD = { version: "1.2.3", deno: "2.9.6" };

/** The lines about Redis, without the prefix. */
async function lines(metrics: Metrics): Promise<string[]> {
  return [...(await metrics.text()).matchAll(/^switchyard_(redis_.*)$/gm)].map(([, line = ""]) => line);
}

Deno.test("metrics of Redis show the counts of its routes", async () => {
  const metrics = new Metrics(() => everything, BUILD);
  const expected = [
    "redis_up 1",
    'redis_lookups_total{result="cached"} 1',
    'redis_lookups_total{result="found"} 2',
    'redis_lookups_total{result="unknown"} 3',
    'redis_lookups_total{result="stale"} 4',
    'redis_lookups_total{result="unavailable"} 5',
    'redis_lookups_total{result="invalid"} 6',
    "redis_requests_total 7",
    "redis_request_seconds_total 0.5",
    'redis_connects_total{result="success"} 8',
    'redis_connects_total{result="failure"} 9',
    "redis_invalidations_total 10",
    "redis_cached_ids 11",
  ];
  assertEquals(await lines(metrics), expected);
  assertEquals(await lines(metrics), expected);
});

Deno.test("metrics of Redis are removed if the configuration has no Redis", async () => {
  let source = everything;
  const metrics = new Metrics(() => source, BUILD);
  await metrics.text();
  source = { ...everything, threads: () => Promise.resolve([]) };
  assertEquals(await lines(metrics), []);
  const redis = { ...redisStats, up: false };
  source = { ...everything, threads: () => Promise.resolve([{ bytes: { up: 0, down: 0 }, redis }]) };
  assertEquals((await lines(metrics))[0], "redis_up 0");
});
