import type { Eviction } from "../../lib/shared/eviction.ts";
import { createSharedMemory } from "../../lib/shared/memory.ts";
import { SharedThread } from "../../lib/shared/thread.ts";

/** Threads as one thread sees them: each opens the memory by its index. Evictions are kept with the thread they are for. */
export function openThreads(threads: number, connections = 100) {
  const memory = createSharedMemory({ threads, connections });
  const evictions: [number, Eviction][] = [];
  const open = (index: number) =>
    new SharedThread({ memory, index, onEviction: (...eviction) => evictions.push(eviction) });
  // two are named, since most tests need no more
  return {
    memory,
    evictions,
    one: open(0),
    other: open(1),
    all: Array.from({ length: threads }, (_, index) => open(index)),
  };
}
