/** A hash table in shared memory: one slot per key, with one word per thread. */

import type { KeyHash } from "./key_hash.ts";
import { lock, unlock } from "./lock.ts";
import { SLOT_HEAD, STRIPE_SLOTS, type TableMemory } from "./memory.ts";

/** Options of a table. */
export interface KeyTableOptions {
  readonly memory: TableMemory;
  /** Number of threads that use it. */
  readonly threads: number;
  /** The index of this one. */
  readonly thread: number;
}

/**
 * One thread's view of the table. `enter` finds a key's slot and locks its stripe; until `leave` nothing may wait or
 * throw, since other threads wait.
 *
 * Open addressing with linear probing within a stripe. A slot whose words are all zero is free, with any hash,
 * so zeroing the words of a thread that died between two writes is enough to repair it. A slot in use never moves.
 */
export class KeyTable {
  readonly #threads: number;
  readonly #thread: number;
  readonly #locks: Int32Array;
  readonly #slots: Int32Array;
  readonly #width: number;
  #stripe = 0;
  #free = -1;

  constructor({ memory, threads, thread }: KeyTableOptions) {
    this.#threads = threads;
    this.#thread = thread;
    this.#locks = new Int32Array(memory.locks);
    this.#slots = new Int32Array(memory.slots);
    this.#width = SLOT_HEAD + threads;
  }

  /** Number of keys that certainly fit: beyond it, a stripe may be full. */
  get capacity(): number {
    return this.#locks.length * STRIPE_SLOTS / 2;
  }

  /** Locks the stripe of `key`. Returns its slot, or -1 if it has none. */
  enter(key: KeyHash): number {
    this.#stripe = this.#stripeOf(key);
    lock(this.#locks, this.#stripe, this.#thread);
    return this.#find(this.#stripe, key);
  }

  /** Assigns a free slot to the entered key, which has none. Returns it, or -1 if there is none. */
  claim({ low, high }: KeyHash): number {
    if (this.#free < 0) return -1;
    Atomics.store(this.#slots, this.#free, low);
    Atomics.store(this.#slots, this.#free + 1, high);
    return this.#free;
  }

  /** Unlocks the stripe. */
  leave(): void {
    unlock(this.#locks, this.#stripe);
  }

  /** This thread's word. */
  get(slot: number): number {
    return Atomics.load(this.#slots, slot + SLOT_HEAD + this.#thread);
  }

  /** Sets this thread's word; zero frees the slot unless another thread counts the key. */
  set(slot: number, value: number): void {
    Atomics.store(this.#slots, slot + SLOT_HEAD + this.#thread, value);
    if (value === 0 && this.sum(slot) === 0) this.#tidy(slot);
  }

  /** The sum of all words. */
  sum(slot: number): number {
    let sum = 0;
    for (let at = slot + SLOT_HEAD; at < slot + this.#width; at++) sum += Atomics.load(this.#slots, at);
    return sum;
  }

  /** The other threads whose words are not zero. */
  others(slot: number): number[] {
    const isOther = (thread: number) =>
      thread !== this.#thread && Atomics.load(this.#slots, slot + SLOT_HEAD + thread) > 0;
    return Array.from({ length: this.#threads }, (_, thread) => thread).filter(isOther);
  }

  /** The sum of the words of `key`, read without a lock: it may be wrong while another thread changes it. */
  peek(key: KeyHash): number {
    const slot = this.#find(this.#stripeOf(key), key);
    return slot < 0 ? 0 : this.sum(slot);
  }

  #stripeOf({ low }: KeyHash): number {
    return low & (this.#locks.length - 1);
  }

  #find(stripe: number, { low, high }: KeyHash): number {
    this.#free = -1;
    const start = high & (STRIPE_SLOTS - 1);
    for (let index = start; index < start + STRIPE_SLOTS; index++) {
      const slot = this.#slotAt(stripe, index);
      const other = Atomics.load(this.#slots, slot);
      if (other === low && Atomics.load(this.#slots, slot + 1) === high) return slot;
      if (this.#free < 0 && this.sum(slot) === 0) this.#free = slot;
      if (other === 0) return -1;
    }
    return -1;
  }

  /** Resets a free slot, and free ones before it, to empty if the next slot ends a probe sequence anyway. */
  #tidy(slot: number): void {
    const last = slot / this.#width;
    if (!this.#endsProbes(this.#slotAt(this.#stripe, last + 1))) return;
    for (let index = last; index > last - STRIPE_SLOTS; index--) {
      const free = this.#slotAt(this.#stripe, index);
      if (this.#endsProbes(free) || this.sum(free) > 0) return;
      Atomics.store(this.#slots, free, 0);
    }
  }

  /** The slot at `index` of the stripe, which wraps around. */
  #slotAt(stripe: number, index: number): number {
    return (stripe * STRIPE_SLOTS + (index & (STRIPE_SLOTS - 1))) * this.#width;
  }

  #endsProbes(slot: number): boolean {
    return Atomics.load(this.#slots, slot) === 0;
  }
}
