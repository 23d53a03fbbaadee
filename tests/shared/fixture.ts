import type { Eviction } from "../../lib/shared/eviction.ts";
import { createSharedMemory } from "../../lib/shared/memory.ts";
import { SharedThread } from "../../lib/shared/thread.ts";

/** Two threads on one shared memory. Evictions are recorded with the thread that they are for. */
export function openThreads(threads: number, connections = 100) {
  const memory = createSharedMemory({ threads, connections });
  const evictions: [number, Eviction][] = [];
  const open = (index: number) =>
    new SharedThread({ memory, index, onEviction: (...eviction) => evictions.push(eviction) });
  // most tests need only two
  return {
    memory,
    evictions,
    one: open(0),
    other: open(1),
    all: Array.from({ length: threads }, (_, index) => open(index)),
  };
}
