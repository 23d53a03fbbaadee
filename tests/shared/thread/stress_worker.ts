/** Adds and releases the same keys as other threads do, and watches that no limit is exceeded. */

import { parentPort, workerData } from "node:worker_threads";
import type { SharedMemory } from "../../../lib/shared/memory.ts";
import { SharedThread } from "../../../lib/shared/thread.ts";

/** The settings of a thread. */
export interface Stress {
  readonly memory: SharedMemory;
  readonly index: number;
  readonly rounds: number;
  readonly keys: number;
  readonly limit: number;
  readonly placesLimit: number;
  readonly threads: number;
  /** Shared words: the counts that all threads together hold at least, one for each key and one for the places, and the number of threads. */
  readonly truth: SharedArrayBuffer;
}

/** The observations of a thread. */
export interface Seen {
  readonly exceeded: number;
  readonly refused: number;
  readonly numbers: readonly number[];
}

const { memory, index, threads, rounds, keys, limit, placesLimit, truth }: Stress = workerData;
const thread = new SharedThread({ memory, index, onEviction: () => {} });
const words = new Int32Array(truth);
const held = Array.from({ length: keys }, () => 0);
const numbers: number[] = [];
let [exceeded, refused, silent, identified] = [0, 0, 0, 0];

// all begin at once
let arrived = Atomics.add(words, keys + 1, 1) + 1;
Atomics.notify(words, keys + 1);
for (; arrived < threads; arrived = Atomics.load(words, keys + 1)) Atomics.wait(words, keys + 1, arrived);
for (let round = 0; round < rounds; round++) {
  count(Math.floor(Math.random() * keys));
  place();
  numbers.push(thread.nextNumber());
}
for (let key = 0; key < keys; key++) while (held[key]) release(key);
while (silent + identified > 0) leave();
parentPort?.postMessage({ exceeded, refused, numbers } satisfies Seen);

function count(key: number): void {
  if (Math.random() < 0.5 && held[key]) return release(key);
  if (!thread.ids.tryAdd(`key ${key}`, limit)) return void (refused += 1);
  held[key] = (held[key] ?? 0) + 1;
  if (Atomics.add(words, key, 1) >= limit) exceeded += 1;
}

function release(key: number): void {
  held[key] = (held[key] ?? 0) - 1;
  Atomics.sub(words, key, 1);
  thread.ids.release(`key ${key}`);
}

function place(): void {
  const { places } = thread;
  const dice = Math.random();
  if (dice < 0.1) silent -= places.settle();
  else if (dice < 0.4) leave();
  else if (dice < 0.7 && silent > 0) identify();
  else if (places.take(placesLimit) === "free") silent += 1;
}

function identify(): void {
  while (silent > 0 && !thread.places.identify()) silent -= thread.places.settle();
  if (silent === 0) return;
  silent -= 1;
  identified += 1;
  if (Atomics.add(words, keys, 1) >= placesLimit) exceeded += 1;
}

function leave(): void {
  silent -= thread.places.settle();
  if (identified > 0) {
    identified -= 1;
    Atomics.sub(words, keys, 1);
    thread.places.leave(false);
  } else if (silent > 0) {
    silent -= 1;
    thread.places.leave(true);
  }
}
