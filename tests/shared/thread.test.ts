import { createSharedMemory } from "../../lib/shared/memory.ts";
import { SharedThread } from "../../lib/shared/thread.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { openThreads } from "./fixture.ts";

Deno.test("numbers of connections increase over all threads", () => {
  const { one, other } = openThreads(2);
  assertEquals([one.nextNumber(), other.nextNumber(), one.nextNumber()], [1, 2, 3]);
});

Deno.test("connections to a server are counted over all threads, apart from other counts of the same name", () => {
  const { one, other } = openThreads(2);
  const here = one.ofServer("eu a:1");
  const there = other.ofServer("eu a:1");
  assert(here.tryAdd(2) && there.tryAdd(2) && one.ids.tryAdd("eu a:1", 1));
  assertEquals([here.value, here.tryAdd(2)], [2, false]);
  there.release();
  assert(here.tryAdd(2));
});

Deno.test("a thread with an index that the memory does not have is refused", () => {
  const memory = createSharedMemory({ threads: 2, connections: 1 });
  for (const index of [-1, 2, NaN]) {
    assertThrows(() => new SharedThread({ memory, index, onEviction: () => {} }), RangeError);
  }
});
