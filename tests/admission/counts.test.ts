import { type Holder, Occupancy, Rates } from "../../lib/admission/counts.ts";
import { assert, assertEquals } from "../assert.ts";

const holder = (): Holder => ({ counted: false, countedAddress: undefined, countedId: undefined });

Deno.test("what is released is what was taken, once", () => {
  const occupancy = new Occupancy();
  const [first, second] = [holder(), holder()];
  for (const each of [first, second]) {
    occupancy.take(each);
    occupancy.takeAddress(each, "192.0.2.7");
    occupancy.takeId(each, "a");
  }
  occupancy.release(first);
  occupancy.release(first);
  assertEquals([occupancy.total, occupancy.ofAddress("192.0.2.7"), occupancy.ofId("a").size], [1, 1, 1]);
  occupancy.release(second);
  assertEquals([occupancy.total, occupancy.ofAddress("192.0.2.7"), occupancy.ofId("a").size], [0, 0, 0]);
});

Deno.test("a holder that took nothing gives nothing back", () => {
  const occupancy = new Occupancy();
  occupancy.take(holder());
  occupancy.release(holder());
  assertEquals(occupancy.total, 1);
});

Deno.test("a bucket holds as many tokens as a second brings, and fills at that rate", () => {
  let now = 5000;
  const rates = new Rates(() => now);
  const taken = (count: number) =>
    Array.from({ length: count }, () => rates.take("a", 5)).filter(Boolean).length;
  assertEquals(taken(8), 5);
  assertEquals(taken(1), 0);
  now += 200;
  assertEquals(taken(2), 1);
  now += 10_000;
  assertEquals(taken(8), 5);
});

Deno.test("each address has a bucket of its own", () => {
  const rates = new Rates(() => 5000);
  assert(rates.take("a", 1));
  assert(!rates.take("a", 1));
  assert(rates.take("b", 1));
});

Deno.test("a bucket is remembered until it is full again", () => {
  let now = 5000;
  const rates = new Rates(() => now);
  for (let step = 0; step < 50; step++) {
    rates.take("a", 2);
    rates.take(`other ${step}`, 2);
    now += 100;
  }
  // 10 were tried a second, so the bucket has been empty for long
  assertEquals([rates.take("a", 2), rates.take("a", 2)], [true, false]);
});

Deno.test("buckets that are full again are dropped", () => {
  let now = 5000;
  const rates = new Rates(() => now);
  for (let index = 0; index < 1000; index++) rates.take(`${index}`, 1);
  now += 1000;
  rates.take("a", 1);
  now += 1000;
  rates.take("a", 1);
  assertEquals(rates.size, 2);
});

Deno.test("a flood from a million addresses within a second is remembered in part", () => {
  const rates = new Rates(() => 5000);
  for (let index = 0; index < 1_000_000; index++) rates.take(`${index}`, 1);
  assert(rates.size <= 200_000, `${rates.size} are remembered`);
});
