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

  /** The current count over all threads. Read without a lock, so it may be wrong while another thread changes it. */
  get value(): number {
    return this.#table.peek(this.#key);
  }

  /**
   * Adds one and returns true, or returns false if that would exceed `limit`; 0 is no limit.
   *
   * @throws {Refusal} LIMIT_EXCEEDED if the memory has no room for another key
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
   * Adds one with a new rank. Returns the rank, and the other threads that count the key.
   *
   * @throws {Refusal} as `tryAdd`
   */
  claim(rank: () => number): { readonly rank: number; readonly others: readonly number[] } {
    const slot = this.#add(this.#table.enter(this.#key));
    // under the lock, so that of two concurrent claims the one that sees the other has the higher rank
    const claim = { rank: rank(), others: this.#table.others(slot) };
    this.#table.leave();
    return claim;
  }

  /** Subtracts one that this thread has added. */
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
    throw new Refusal("LIMIT_EXCEEDED", "there is no room to count another address, ID or server", {
      cause: `the memory that workers share holds ${this.#table.capacity} of them: ` +
        "restart the balancer to make room for limits.connections",
    });
  }
}

/** Options of the counts of one kind of keys. */
export interface SharedCountsOptions {
  readonly count: (key: string) => SharedCount;
  /** Returns numbers that increase over all threads. */
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
   * Adds one to `key`, makes other threads evict their connections of it, and returns its rank.
   *
   * @throws {Refusal} LIMIT_EXCEEDED if the memory has no room for another key
   */
  claim(key: string): number {
    const { rank, others } = this.#options.count(key).claim(this.#options.rank);
    for (const other of others) this.#options.onEviction(other, { id: key, below: rank });
    return rank;
  }

  /** Subtracts one from `key` that this thread has added. */
  release(key: string): void {
    this.#options.count(key).release();
  }

  get(key: string): number {
    return this.#options.count(key).value;
  }
}
