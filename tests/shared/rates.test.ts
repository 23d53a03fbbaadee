import { KeyHasher } from "../../lib/shared/key_hash.ts";
import { createSharedMemory } from "../../lib/shared/memory.ts";
import { SharedRates } from "../../lib/shared/rates.ts";
import { assert, assertEquals } from "../assert.ts";

/** Buckets as two threads see them, with a clock of their own. */
function openRates() {
  const { rates: memory, hashKeys } = createSharedMemory({ threads: 2, connections: 1 });
  const clock = { now: 1_000_000 };
  const open = (thread: number) =>
    new SharedRates({ memory, thread, hasher: new KeyHasher(hashKeys), now: () => clock.now });
  return { clock, one: open(0), other: open(1) };
}

Deno.test("threads take tokens of an address from one bucket, which fills as time passes", () => {
  const { clock, one, other } = openRates();
  assertEquals([one, other, one, other].map((rates) => rates.tryTake("a", 3)), [true, true, true, false]);
  assert(other.tryTake("b", 3));
  clock.now += 334;
  assertEquals([one, other].map((rates) => rates.tryTake("a", 3)), [true, false]);
});

Deno.test("a clock that is set back empties a bucket for at most a second", () => {
  const { clock, one } = openRates();
  assert(one.tryTake("a", 1));
  clock.now -= 3_600_000;
  assert(one.tryTake("a", 1));
  assert(!one.tryTake("a", 1));
});

Deno.test("addresses beyond the capacity are all served, and one that connects again soon is remembered", () => {
  const { clock, one } = openRates();
  for (let address = 0; address < 300_000; address++) assert(one.tryTake(`${address}`, 1));
  clock.now += 1;
  assert(one.tryTake("newest", 1));
  assert(!one.tryTake("newest", 1));
});
