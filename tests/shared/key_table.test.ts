import fc from "fast-check";
import type { KeyHash } from "../../lib/shared/key_hash.ts";
import { KeyTable } from "../../lib/shared/key_table.ts";
import { SLOT_HEAD, STRIPE_SLOTS } from "../../lib/shared/memory.ts";
import { assert, assertEquals } from "../assert.ts";

/** A table of one stripe, as two threads see it. */
function openTable() {
  const memory = {
    locks: new SharedArrayBuffer(4),
    slots: new SharedArrayBuffer(4 * STRIPE_SLOTS * (SLOT_HEAD + 2)),
  };
  const table = (thread: number) => new KeyTable({ memory, threads: 2, thread });
  return { one: table(0), other: table(1) };
}

/** Keys whose probes begin at the same slot. */
const key = (low: number, start = 7): KeyHash => ({ low: low + 1, high: start });

/** Adds `value` to the thread's word. False if there is no slot. */
function add(table: KeyTable, key: KeyHash, value: number): boolean {
  const found = table.enter(key);
  const slot = found >= 0 ? found : table.claim(key);
  if (slot >= 0) table.set(slot, table.get(slot) + value);
  table.leave();
  return slot >= 0;
}

Deno.test("keys that collide are found, also behind a removed one", () => {
  const { one, other } = openTable();
  for (let low = 0; low < 3; low++) assert(add(low === 1 ? other : one, key(low), low + 1));
  assert(add(one, key(0), -1));
  assertEquals([0, 1, 2, 3].map((low) => one.peek(key(low))), [0, 2, 3, 0]);
  assert(add(one, key(2), 1));
  assertEquals(other.peek(key(2)), 4);
});

Deno.test("a stripe holds as many keys as it has slots, and another once one is removed", () => {
  const { one, other } = openTable();
  for (let low = 0; low < STRIPE_SLOTS; low++) assert(add(one, key(low), 1));
  assert(!add(other, key(STRIPE_SLOTS), 1));
  assert(add(other, key(9), 1), "a key that has a slot");
  assert(add(one, key(30), -1));
  assert(add(other, key(STRIPE_SLOTS), 1));
  assertEquals([one.peek(key(STRIPE_SLOTS)), one.peek(key(9)), one.peek(key(30))], [1, 2, 0]);
});

Deno.test("a key of both threads keeps its slot until both have released it", () => {
  const { one, other } = openTable();
  add(one, key(1), 1);
  add(other, key(1), 1);
  const slot = one.enter(key(1));
  assertEquals(one.others(slot), [1]);
  one.leave();
  add(one, key(1), -1);
  assertEquals(other.peek(key(1)), 1);
  add(other, key(1), -1);
  assertEquals(other.enter(key(1)), -1, "its slot is unused again");
  other.leave();
});

Deno.test("a table counts as a map does while keys come and go", () => {
  const step = fc.record({
    low: fc.nat(20),
    start: fc.constantFrom(0, STRIPE_SLOTS - 2, STRIPE_SLOTS - 1),
    isOther: fc.boolean(),
    adds: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
    const { one, other } = openTable();
    const model = new Map<string, [number, number]>();
    for (const { low, start, isOther, adds } of steps) {
      const counts = model.get(`${low} ${start}`) ?? [0, 0];
      model.set(`${low} ${start}`, counts);
      const thread = isOther ? 1 : 0;
      if (!adds && counts[thread] === 0) continue;
      counts[thread] += adds ? 1 : -1;
      assert(add(isOther ? other : one, key(low, start), adds ? 1 : -1));
    }
    for (const [name, [first, second]] of model) {
      const [low = 0, start = 0] = name.split(" ").map(Number);
      assertEquals(one.peek(key(low, start)), first + second);
    }
  }));
});
