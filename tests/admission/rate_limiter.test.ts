import { RateLimiter } from "../../lib/admission/rate_limiter.ts";
import { assert, assertEquals } from "../assert.ts";
import { sized, SOAK } from "../soak.ts";

/** Addresses per generation: those of the program at full size. */
const MAX_ADDRESSES = sized(100_000);

Deno.test("a bucket holds the tokens of one second, and fills at that rate", () => {
  let now = 5000;
  const rates = new RateLimiter(() => now);
  const taken = (count: number) =>
    Array.from({ length: count }, () => rates.tryTake("a", 5)).filter(Boolean).length;
  assertEquals(taken(8), 5);
  assertEquals(taken(1), 0);
  now += 200;
  assertEquals(taken(2), 1);
  now += 10_000;
  assertEquals(taken(8), 5);
});

Deno.test("each address has a bucket of its own", () => {
  const rates = new RateLimiter(() => 5000);
  assert(rates.tryTake("a", 1));
  assert(!rates.tryTake("a", 1));
  assert(rates.tryTake("b", 1));
});

Deno.test("a bucket is remembered until it is full again", () => {
  let now = 5000;
  const rates = new RateLimiter(() => now);
  for (let step = 0; step < 50; step++) {
    rates.tryTake("a", 2);
    rates.tryTake(`other ${step}`, 2);
    now += 100;
  }
  // with 10 attempts a second the bucket has long been empty
  assertEquals([rates.tryTake("a", 2), rates.tryTake("a", 2)], [true, false]);
});

Deno.test("buckets that are full again are dropped", () => {
  let now = 5000;
  const rates = new RateLimiter(() => now);
  for (let index = 0; index < 1000; index++) rates.tryTake(`${index}`, 1);
  now += 1000;
  rates.tryTake("a", 1);
  now += 1000;
  rates.tryTake("a", 1);
  assertEquals(rates.size, 2);
});

Deno.test("a flood of addresses within a second is remembered in part", () => {
  const rates = new RateLimiter(() => 5000, SOAK ? undefined : MAX_ADDRESSES);
  for (let index = 0; index < 10 * MAX_ADDRESSES; index++) rates.tryTake(`${index}`, 1);
  assert(rates.size > 0 && rates.size <= 2 * MAX_ADDRESSES, `${rates.size} are remembered`);
});
