/** Connection counts by key, checked against a limit in one step. */

/** Counts of open connections: one thread keeps them in a map; several share memory. */
export interface Counts {
  /** Adds one to `key` and returns true, or returns false if that would exceed `limit`; 0 is no limit. */
  tryAdd(key: string, limit: number): boolean;
  /**
   * Adds one to `key`, makes other threads evict their connections of it, and returns its rank: higher than all before.
   */
  claim(key: string): number;
  /** Subtracts one from `key`, which must have been added before. */
  release(key: string): void;
  get(key: string): number;
}

/** Counts of one thread. A key without connections takes no memory. */
export class MapCounts implements Counts {
  readonly #counts = new Map<string, number>();
  #claims = 0;

  tryAdd(key: string, limit: number): boolean {
    const count = this.get(key);
    if (limit > 0 && count >= limit) return false;
    this.#counts.set(key, count + 1);
    return true;
  }

  claim(key: string): number {
    this.tryAdd(key, 0);
    return ++this.#claims;
  }

  release(key: string): void {
    const left = this.get(key) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
  }

  get(key: string): number {
    return this.#counts.get(key) ?? 0;
  }
}
