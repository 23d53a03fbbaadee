/** The places under `limits.connections`, over all threads. */

import { lock, unlock } from "./lock.ts";
import { HEADER, ROW, rowAt } from "./memory.ts";

/** Whether a silent client may take a free place: silent clients get at most half of the places. */
export function hasRoom(limit: number, silent: number, identified: number): boolean {
  return limit === 0 || (silent + identified < limit && silent < Math.ceil(limit / 2));
}

/** Options of a thread's view of the places. */
export interface SharedPlacesOptions {
  readonly header: SharedArrayBuffer;
  readonly threads: number;
  readonly thread: number;
  /** Called to make another thread call `settle` soon. */
  readonly onDebt: (thread: number) => void;
}

/**
 * One thread's view of the places. A thread that takes the place of another thread's silent client does so at once, and
 * the other owes an eviction: the places of a thread's silent clients are their number minus its debt.
 */
export class SharedPlaces {
  readonly #words: Int32Array;
  readonly #threads: number;
  readonly #thread: number;
  readonly #row: number;
  readonly #onDebt: (thread: number) => void;

  constructor({ header, threads, thread, onDebt }: SharedPlacesOptions) {
    this.#words = new Int32Array(header);
    this.#threads = threads;
    this.#thread = thread;
    this.#row = rowAt(thread);
    this.#onDebt = onDebt;
  }

  /**
   * Takes a place for a silent client. "evict": it is the place of the longest-waiting silent client of this thread,
   * which must not be released as well. "full": all places belong to clients with an ID, and none was taken.
   */
  take(limit: number): "free" | "evict" | "full" {
    const taken = this.#locked(() => this.#take(limit));
    if (typeof taken === "string") return taken;
    // the thread has been notified of earlier debt, and will see this too
    if (taken.debt === 1) this.#onDebt(taken.from);
    return "free";
  }

  /** A silent client has sent its ID. False if clients must be evicted first (`settle`), perhaps this one. */
  identify(): boolean {
    return this.#locked(() => {
      if (this.#silentOf(this.#thread) <= 0) return false;
      this.#add(this.#row + ROW.silent, -1);
      this.#add(this.#row + ROW.identified, 1);
      return true;
    });
  }

  /** A connection has ended; `wasSilent` if it had sent no ID. */
  leave(wasSilent: boolean): void {
    this.#locked(() => {
      this.#add(this.#row + (wasSilent ? ROW.silent : ROW.identified), -1);
      if (wasSilent && this.#get(this.#row + ROW.debt) > 0) this.#add(this.#row + ROW.debt, -1);
    });
  }

  /** Returns the number of silent clients, oldest first, that must be evicted now: their places have been taken. */
  settle(): number {
    return this.#locked(() => {
      const debt = this.#get(this.#row + ROW.debt);
      this.#add(this.#row + ROW.debt, -debt);
      this.#add(this.#row + ROW.silent, -debt);
      return debt;
    });
  }

  /** Every single write leaves all sums consistent, as a thread may die after any of them. */
  #take(limit: number): "free" | "evict" | "full" | { readonly from: number; readonly debt: number } {
    let [silent, identified] = [0, 0];
    for (let thread = 0; thread < this.#threads; thread++) {
      silent += this.#silentOf(thread);
      identified += this.#get(rowAt(thread) + ROW.identified);
    }
    const isFree = hasRoom(limit, silent, identified);
    if (!isFree && silent <= 0) return "full";
    const from = isFree ? this.#thread : this.#evictFrom(silent);
    if (!isFree && from === this.#thread) return "evict";
    const debt = isFree ? 0 : this.#add(rowAt(from) + ROW.debt, 1);
    this.#add(this.#row + ROW.silent, 1);
    return isFree ? "free" : { from, debt };
  }

  /** The thread that must evict a client: this one, unless it has fewer silent clients than average. */
  #evictFrom(silent: number): number {
    let [most, from] = [this.#silentOf(this.#thread), this.#thread];
    if (most * this.#threads >= silent) return from;
    for (let thread = 0; thread < this.#threads; thread++) {
      const count = this.#silentOf(thread);
      if (count > most) [most, from] = [count, thread];
    }
    return from;
  }

  /** Silent clients of `thread` that have a place. */
  #silentOf(thread: number): number {
    return this.#get(rowAt(thread) + ROW.silent) - this.#get(rowAt(thread) + ROW.debt);
  }

  #get(at: number): number {
    return Atomics.load(this.#words, at);
  }

  /** Returns the sum. */
  #add(at: number, value: number): number {
    const sum = this.#get(at) + value;
    Atomics.store(this.#words, at, sum);
    return sum;
  }

  #locked<T>(change: () => T): T {
    lock(this.#words, HEADER.lock, this.#thread);
    const result = change();
    unlock(this.#words, HEADER.lock);
    return result;
  }
}
