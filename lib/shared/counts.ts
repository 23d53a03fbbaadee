/** Connection counts by key, over all threads. */

import { Refusal } from "../errors.ts";
import type { OnEviction } from "./eviction.ts";
import type { KeyHash } from "./key_hash.ts";
import type { KeyTable } from "./key_table.ts";

/** The count of one key. */
export class SharedCount {
  readonly #table: KeyTable;
  readonly #key: KeyHash;

  constructor(table: KeyTable, key: KeyHash) {
    this.#table = table;
    this.#key = key;
  }

  /** The count now, over all threads. No thread waits for it, and it may be wrong while another changes it. */
  get value(): number {
    return this.#table.peek(this.#key);
  }

  /**
   * Adds one and gives true, or gives false where that would exceed `limit`; 0 is no limit.
   *
   * @throws {Refusal} LIMIT_EXCEEDED where the memory has no room for another key
   */
  tryAdd(limit: number): boolean {
    const found = this.#table.enter(this.#key);
    if (found >= 0 && limit > 0 && this.#table.sum(found) >= limit) {
      this.#table.leave();
      return false;
    }
    this.#add(found);
    this.#table.leave();
    return true;
  }

  /**
   * Adds one as the newest of all threads: gives the other threads that count the key, and what `rank` gave.
   *
   * @throws {Refusal} as `tryAdd`
   */
  claim(rank: () => number): { readonly rank: number; readonly others: readonly number[] } {
    const slot = this.#add(this.#table.enter(this.#key));
    // under the lock, so that of two claims the one that is told of the other has the higher rank
    const claim = { rank: rank(), others: this.#table.others(slot) };
    this.#table.leave();
    return claim;
  }

  /** Takes one of this thread's away. */
  release(): void {
    const slot = this.#table.enter(this.#key);
    const count = slot < 0 ? 0 : this.#table.get(slot);
    if (count > 0) this.#table.set(slot, count - 1);
    this.#table.leave();
  }

  #add(found: number): number {
    const slot = found >= 0 ? found : this.#table.claim(this.#key);
    if (slot >= 0) {
      this.#table.set(slot, this.#table.get(slot) + 1);
      return slot;
    }
    this.#table.leave();
    throw new Refusal("LIMIT_EXCEEDED", "no room to count another address, ID or server", {
      cause: `the memory that workers share holds ${this.#table.capacity} of them: ` +
        "restart with the limits.connections that you need",
    });
  }
}

/** What counts of one kind of keys are made of. */
export interface SharedCountsOptions {
  readonly count: (key: string) => SharedCount;
  /** Gives numbers that rise over all threads. */
  readonly rank: () => number;
  readonly onEviction: OnEviction;
}

/** The counts of one kind of keys. */
export class SharedCounts {
  readonly #options: SharedCountsOptions;

  constructor(options: SharedCountsOptions) {
    this.#options = options;
  }

  /** See `SharedCount.tryAdd`. */
  tryAdd(key: string, limit: number): boolean {
    return this.#options.count(key).tryAdd(limit);
  }

  /**
   * Adds one to `key`, has other threads evict their connections of it, and gives its rank.
   *
   * @throws {Refusal} LIMIT_EXCEEDED where the memory has no room for another key
   */
  claim(key: string): number {
    const { rank, others } = this.#options.count(key).claim(this.#options.rank);
    for (const other of others) this.#options.onEviction(other, { id: key, below: rank });
    return rank;
  }

  /** Takes one from `key`, which this thread must have added before. */
  release(key: string): void {
    this.#options.count(key).release();
  }

  get(key: string): number {
    return this.#options.count(key).value;
  }
}
