/**
 * The memory in which all threads of a balancer count: its layout, and its management by the main thread.
 *
 * Each count has one word per thread, which only that thread changes; the count is their sum. So a thread that dies
 * leaves no sum half written, and zeroing its words removes its part (`releaseThread`).
 */

import { type HashKey, randomHashKey } from "../util/half_siphash.ts";
import { sleep } from "../util/async.ts";
import { freeLock, tryLock, unlock } from "./lock.ts";

/** Created in the main thread, opened in each worker (`SharedThread`). It survives a structured clone. */
export interface SharedMemory {
  /** Number of threads that count in it; their indexes are 0 to `threads - 1`. */
  readonly threads: number;
  /** Sequences, the lock of the places, and a row for each thread: see `HEADER`, `ROW` and `rowAt`. */
  readonly header: SharedArrayBuffer;
  /** Connections by address, by ID and by server. */
  readonly keys: TableMemory;
  /** Token buckets by address. */
  readonly rates: TableMemory;
  /** Secret keys of the hashes. */
  readonly hashKeys: readonly [HashKey, HashKey];
}

/** A hash table in stripes, with one lock per stripe. */
export interface TableMemory {
  /** One word per stripe; the number of stripes is a power of two. */
  readonly locks: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
}

/** The capacity of the memory. */
export interface SharedMemoryOptions {
  readonly threads: number;
  /** Maximum number of connections; 0 for no limit, which makes room for a million. */
  readonly connections: number;
}

/** Slots in a stripe. With half of all slots in use, a stripe is full with a probability of 10^-22. */
export const STRIPE_SLOTS = 256;

/** Words of a slot before those of the threads: its key's hash. */
export const SLOT_HEAD = 2;

/** Words of a token bucket: its key's hash, and the time at which it is full again, as a 64-bit float. */
export const BUCKET_WORDS = 4;

/** Offsets in the header, in words, each on its own cache line. The first two are 64-bit sequences. */
export const HEADER = { number: 0, claim: 16, lock: 32, rows: 48 } as const;

/** Offsets in a thread's row, which has its own cache line. */
export const ROW = { identified: 0, silent: 1, debt: 2 } as const;

const ROW_WORDS = 16;

/** Connections with room: without a limit, and at least, so that a reload can raise the limit that far. */
const CONNECTIONS = { unlimited: 1 << 20, least: 1 << 16 };

/** Number of addresses whose rate is remembered. */
const ADDRESSES = 1 << 17;

/** Interval at which the main thread retries a lock that another thread holds, in milliseconds. */
const RETRY_MS = 1;

/** Creates the memory with all counts at zero. The system allocates its pages on first use. */
export function createSharedMemory({ threads, connections }: SharedMemoryOptions): SharedMemory {
  const most = connections === 0 ? CONNECTIONS.unlimited : Math.max(connections, CONNECTIONS.least);
  return {
    threads,
    header: new SharedArrayBuffer(4 * (HEADER.rows + threads * ROW_WORDS)),
    // each connection has an address and an ID; half of the slots stay free
    keys: table(4 * most, SLOT_HEAD + threads),
    rates: table(ADDRESSES, BUCKET_WORDS),
    hashKeys: [randomHashKey(), randomHashKey()],
  };
}

function table(slots: number, words: number): TableMemory {
  const stripes = 2 ** Math.ceil(Math.log2(slots / STRIPE_SLOTS));
  return {
    locks: new SharedArrayBuffer(4 * stripes),
    slots: new SharedArrayBuffer(4 * stripes * STRIPE_SLOTS * words),
  };
}

/** The index of the first word of the row of `thread`. */
export function rowAt(thread: number): number {
  return HEADER.rows + thread * ROW_WORDS;
}

/**
 * Subtracts everything that an ended thread had counted; one that still runs would go on counting. Its index may be
 * reused once this has resolved.
 */
export async function releaseThread(memory: SharedMemory, thread: number): Promise<void> {
  const { header, keys, rates, threads } = memory;
  const words = new Int32Array(header);
  for (const table of [keys, rates]) {
    const locks = new Int32Array(table.locks);
    for (let stripe = 0; stripe < locks.length; stripe++) freeLock(locks, stripe, thread);
  }
  freeLock(words, HEADER.lock, thread);
  zeroColumn(new Int32Array(keys.slots), SLOT_HEAD + threads, thread);
  // the holder of the lock may have died too, and may be released after this thread
  while (!tryLock(words, HEADER.lock, thread)) await sleep(RETRY_MS);
  words.fill(0, rowAt(thread), rowAt(thread) + ROW_WORDS);
  unlock(words, HEADER.lock);
}

/** Zeroes a thread's word in each slot. No lock is needed: no other thread writes to it. */
function zeroColumn(slots: Int32Array, width: number, thread: number): void {
  for (let at = SLOT_HEAD + thread; at < slots.length; at += width) {
    // reading an untouched page does not allocate it
    if (Atomics.load(slots, at) !== 0) Atomics.store(slots, at, 0);
  }
}
