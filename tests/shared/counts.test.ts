import fc from "fast-check";
import { Refusal } from "../../lib/errors.ts";
import { SharedCount } from "../../lib/shared/counts.ts";
import { KeyTable } from "../../lib/shared/key_table.ts";
import { SLOT_HEAD, STRIPE_SLOTS } from "../../lib/shared/memory.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { openThreads } from "./fixture.ts";

Deno.test("a key is counted over all threads, up to its limit", () => {
  const { one, other } = openThreads(2);
  assert(one.addresses.tryAdd("192.0.2.7", 2));
  assert(other.addresses.tryAdd("192.0.2.7", 2));
  assert(!one.addresses.tryAdd("192.0.2.7", 2));
  assertEquals([one.addresses.get("192.0.2.7"), one.ids.get("192.0.2.7")], [2, 0]);
  other.addresses.release("192.0.2.7");
  assert(one.addresses.tryAdd("192.0.2.7", 2));
});

Deno.test("counts over several threads equal those of one map, in any order of additions and releases", () => {
  const step = fc.record({
    thread: fc.nat(2),
    key: fc.nat(5).map((index) => `key ${index}`),
    limit: fc.nat(4),
    adds: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { all } = openThreads(3);
      const model = new Map<string, number[]>();
      for (const { thread, key, limit, adds } of steps) {
        const counts = model.get(key) ?? [0, 0, 0];
        model.set(key, counts);
        const own = counts[thread] ?? 0;
        const addresses = all[thread]?.addresses;
        if (adds) {
          const fits = limit === 0 || sumOf(counts) < limit;
          assertEquals(addresses?.tryAdd(key, limit), fits);
          if (fits) counts[thread] = own + 1;
        } else if (own > 0) {
          addresses?.release(key);
          counts[thread] = own - 1;
        }
      }
      for (const [key, counts] of model) assertEquals(all[0]?.addresses.get(key), sumOf(counts));
    }),
    { numRuns: 50 },
  );
});

Deno.test("a claim has the highest rank, and other threads with the key must evict connections of lower rank", () => {
  const { one, other, evictions } = openThreads(3);
  const [first, second] = [one.ids.claim("a"), one.ids.claim("a")];
  assert(second > first);
  assertEquals(evictions, []);
  const third = other.ids.claim("a");
  assert(third > second);
  assertEquals(evictions, [[0, { id: "a", below: third }]]);
  const fourth = one.ids.claim("a");
  assertEquals(evictions.slice(1), [[1, { id: "a", below: fourth }]]);
  assertEquals(one.ids.get("a"), 4);
});

Deno.test("if there is no room for another key, the error says how to get more", () => {
  const memory = {
    locks: new SharedArrayBuffer(4),
    slots: new SharedArrayBuffer(4 * STRIPE_SLOTS * (SLOT_HEAD + 1)),
  };
  const table = new KeyTable({ memory, threads: 1, thread: 0 });
  const count = (low: number) => new SharedCount(table, { low, high: 0 });
  for (let low = 1; low <= STRIPE_SLOTS; low++) assert(count(low).tryAdd(0));
  for (const add of [() => count(-1).tryAdd(0), () => count(-1).claim(() => 1)]) {
    const { cause } = assertThrows(add, Refusal);
    assert(String(cause).includes("restart the balancer to make room for limits.connections"));
  }
  assert(count(1).tryAdd(2), "the lock was released");
});

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
