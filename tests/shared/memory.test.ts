import { lock } from "../../lib/shared/lock.ts";
import { createSharedMemory, HEADER, releaseThread } from "../../lib/shared/memory.ts";
import { assert, assertEquals } from "../assert.ts";
import { openThreads } from "./fixture.ts";

Deno.test("the counts of a dead thread are released, and those of others are not", async () => {
  const { memory, one, other } = openThreads(2);
  for (const { addresses, places } of [one, other]) {
    assert(addresses.tryAdd("a", 0));
    assertEquals([places.take(4), places.identify(), places.take(4)], ["free", true, "free"]);
  }
  assertEquals(other.places.take(4), "evict");
  await releaseThread(memory, 0);
  assertEquals(other.addresses.get("a"), 1);
  assertEquals([other.places.take(4), other.places.take(4)], ["free", "evict"]);
});

Deno.test("locks that a dead thread held are free again", async () => {
  const { memory, other } = openThreads(2);
  for (const { locks } of [memory.keys, memory.rates]) {
    const words = new Int32Array(locks);
    for (let stripe = 0; stripe < words.length; stripe++) lock(words, stripe, 0);
  }
  lock(new Int32Array(memory.header), HEADER.lock, 0);
  await releaseThread(memory, 0);
  assert(other.addresses.tryAdd("a", 1));
  assert(other.rates.tryTake("a", 1));
  assertEquals(other.places.take(1), "free");
});

Deno.test("two dead threads are released, even if one holds a lock that the other needs", async () => {
  const { memory, one, other } = openThreads(3);
  assertEquals(one.places.take(2), "free");
  lock(new Int32Array(memory.header), HEADER.lock, 1);
  await Promise.all([releaseThread(memory, 0), releaseThread(memory, 1)]);
  assertEquals(other.places.take(2), "free");
});

Deno.test("there is room for twice the configured connections, by address and by ID", () => {
  for (const [connections, slots] of [[0, 1 << 22], [10, 1 << 18], [100_000, 1 << 19]]) {
    const { keys } = createSharedMemory({ threads: 2, connections: connections ?? 0 });
    assertEquals(keys.slots.byteLength, (slots ?? 0) * 4 * 4);
  }
});
