/** Token buckets by address, over all threads. */

import { type KeyHash, type KeyHasher, KINDS } from "./key_hash.ts";
import { lock, unlock } from "./lock.ts";
import { BUCKET_WORDS, STRIPE_SLOTS, type TableMemory } from "./memory.ts";

/** Time in which an empty bucket is full again, in milliseconds. */
const FULL_AGAIN_MS = 1000;

/** Slots in which an address may be stored. If all are taken, the bucket that is full soonest is replaced. */
const WAYS = 16;

/** Options of a thread's view of the buckets. */
export interface SharedRatesOptions {
  readonly memory: TableMemory;
  readonly thread: number;
  readonly hasher: KeyHasher;
  /** A clock that all threads share, in milliseconds. @default Date.now */
  readonly now?: () => number;
}

/** One thread's view of the buckets: `rate` tokens a second, and at most `rate` at once. */
export class SharedRates {
  readonly #locks: Int32Array;
  readonly #words: Int32Array;
  /** A view of the same memory: the second half of each slot is the time at which the bucket is full again. */
  readonly #times: Float64Array;
  readonly #thread: number;
  readonly #hasher: KeyHasher;
  readonly #now: () => number;

  constructor({ memory, thread, hasher, now = Date.now }: SharedRatesOptions) {
    this.#locks = new Int32Array(memory.locks);
    this.#words = new Int32Array(memory.slots);
    this.#times = new Float64Array(memory.slots);
    this.#thread = thread;
    this.#hasher = hasher;
    this.#now = now;
  }

  /** Takes a token of `address`; false if its bucket is empty. */
  tryTake(address: string, rate: number): boolean {
    const key = this.#hasher.of(KINDS.rate, address);
    const stripe = key.low & (this.#locks.length - 1);
    lock(this.#locks, stripe, this.#thread);
    const isTaken = this.#tryTake(stripe * STRIPE_SLOTS + (key.high & (STRIPE_SLOTS - WAYS)), key, rate);
    unlock(this.#locks, stripe);
    return isTaken;
  }

  /** @param first The first slot for the address. */
  #tryTake(first: number, key: KeyHash, rate: number): boolean {
    const now = this.#now();
    const slot = this.#find(first, key);
    const fullAt = (this.#holds(slot, key) ? this.#fullAt(slot, now) : now) + 1000 / rate;
    // tolerance: a rounding error must not cost the last token
    if (fullAt - now > FULL_AGAIN_MS + 1e-6) return false;
    Atomics.store(this.#words, slot * BUCKET_WORDS, key.low);
    Atomics.store(this.#words, slot * BUCKET_WORDS + 1, key.high);
    this.#times[slot * BUCKET_WORDS / 2 + 1] = fullAt;
    return true;
  }

  /** The slot of the key, or the one to give it. */
  #find(first: number, key: KeyHash): number {
    let oldest = first;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (this.#holds(slot, key)) return slot;
      if (this.#timeOf(slot) < this.#timeOf(oldest)) oldest = slot;
    }
    return oldest;
  }

  #holds(slot: number, { low, high }: KeyHash): boolean {
    const at = slot * BUCKET_WORDS;
    return Atomics.load(this.#words, at) === low && Atomics.load(this.#words, at + 1) === high;
  }

  /** When the bucket is full again, at least `now`. A time too far ahead dates from before the clock was set back. */
  #fullAt(slot: number, now: number): number {
    const fullAt = this.#timeOf(slot);
    return fullAt < now || fullAt > now + FULL_AGAIN_MS + 1 ? now : fullAt;
  }

  #timeOf(slot: number): number {
    return this.#times[slot * BUCKET_WORDS / 2 + 1] ?? 0;
  }
}
