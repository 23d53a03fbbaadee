/**
 * The memory in which all threads of a balancer count: its layout, and what the main thread does with it.
 *
 * Each count has a word per thread, which that thread alone adds to; the count is their sum. So a thread that dies leaves
 * no sum half written, and its part is given back by zeroing its words (`releaseThread`).
 */

import { type HashKey, randomHashKey } from "../util/half_siphash.ts";
import { sleep } from "../util/async.ts";
import { freeLock, tryLock, unlock } from "./lock.ts";

/** Made in the main thread, and opened in each other one (`SharedThread`). It survives a structured clone. */
export interface SharedMemory {
  /** Number of threads that count in it. Their indexes are 0 to one less. */
  readonly threads: number;
  /** Sequences, the lock of places, and a row for each thread: see `HEADER`, `ROW` and `rowAt`. */
  readonly header: SharedArrayBuffer;
  /** Connections by address, by ID and by server. */
  readonly keys: TableMemory;
  /** Token buckets by address. */
  readonly rates: TableMemory;
  /** Secrets of the hashes of keys. */
  readonly hashKeys: readonly [HashKey, HashKey];
}

/** A hash table in stripes, each of which has a lock. */
export interface TableMemory {
  /** One word for each stripe; their number is a power of two. */
  readonly locks: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
}

/** The capacity of the memory. */
export interface SharedMemoryOptions {
  readonly threads: number;
  /** Most connections at once; 0 for no limit, which makes room for a million. */
  readonly connections: number;
}

/** Slots in a stripe. With half of all slots in use, a stripe has none left once in 10^22. */
export const STRIPE_SLOTS = 256;

/** Words of a slot before those of the threads: the hash of its key. */
export const SLOT_HEAD = 2;

/** Words of a token bucket: the hash of its key, and when it will be full again, as a 64-bit float. */
export const BUCKET_WORDS = 4;

/** Words of the header, on cache lines of their own. The first two are 64-bit sequences. */
export const HEADER = { number: 0, claim: 16, lock: 32, rows: 48 } as const;

/** Words of a thread's row, which has a cache line of its own. */
export const ROW = { identified: 0, silent: 1, debt: 2 } as const;

const ROW_WORDS = 16;

/** Connections for which there is room without a limit, and at least: a reload may raise the limit that far. */
const CONNECTIONS = { unlimited: 1 << 20, least: 1 << 16 };

/** Addresses whose rate is remembered. */
const ADDRESSES = 1 << 17;

/** How often the main thread tries to take a lock that another thread holds, in milliseconds. */
const RETRY_MS = 1;

/** Makes the memory, in which nothing is counted yet. The system provides pages of it when they are first used. */
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
 * Gives back all that a thread had counted, after its end: a thread that still runs would count on. Another thread may
 * have the same index once this has resolved.
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
  // a thread that holds the lock may have died as well, and be released after this one
  while (!tryLock(words, HEADER.lock, thread)) await sleep(RETRY_MS);
  words.fill(0, rowAt(thread), rowAt(thread) + ROW_WORDS);
  unlock(words, HEADER.lock);
}

/** Zeroes a thread's word in each slot. It needs no lock: no other thread writes it. */
function zeroColumn(slots: Int32Array, width: number, thread: number): void {
  for (let at = SLOT_HEAD + thread; at < slots.length; at += width) {
    // a page that nobody has written to is not made by reading it
    if (Atomics.load(slots, at) !== 0) Atomics.store(slots, at, 0);
  }
}
