import fc from "fast-check";
import { Histogram } from "../../lib/bench/histogram.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("percentiles are those of the sorted values, within 1.6 % and never below", () => {
  const microseconds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
  const share = fc.constantFrom(0.01, 0.5, 0.9, 0.99, 1);
  fc.assert(fc.property(fc.array(microseconds, { minLength: 1 }), share, (values, wanted) => {
    const histogram = new Histogram();
    for (const value of values) histogram.record(value / 1000);
    values.sort((a, b) => a - b);
    const exact = (values[Math.ceil(values.length * wanted) - 1] ?? NaN) / 1000;
    const got = histogram.percentile(wanted);
    assert(got >= exact && got <= exact * 1.016, `${got} instead of ${exact}`);
  }));
});

Deno.test("the count and the longest are exact, and longer than 35 minutes is the longest bucket", () => {
  const histogram = new Histogram();
  for (const value of [1, 1e9, 3.25]) histogram.record(value);
  assertEquals([histogram.count, histogram.max], [3, 1e9]);
  assertEquals(histogram.percentile(0.99), (2 ** 31 - 1) / 1000);
});

Deno.test("nothing recorded is 0", () => {
  const { count, max } = new Histogram();
  assertEquals([count, max, new Histogram().percentile(0.5)], [0, 0, 0]);
});
