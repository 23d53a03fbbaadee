/** A map of bounded size that drops the least recently used entries. */

/**
 * Two generations of entries: entries are added to the newer one, and copied to it when they are used. Once it has
 * half of the allowed entries it becomes the older one, and the previous older one is dropped. So most look-ups move
 * nothing, and at least the most recently used half is kept.
 */
export class BoundedCache<V> {
  #most: number;
  #newer = new Map<string, V>();
  #older = new Map<string, V>();

  /** @param most Maximum number of entries. */
  constructor(most: number) {
    this.#most = Math.ceil(most / 2);
  }

  /** Changes the maximum number of entries; surplus ones are dropped as entries are added. */
  resize(most: number): void {
    this.#most = Math.ceil(most / 2);
  }

  /** Number of entries. */
  get size(): number {
    return this.#newer.size + this.#older.size;
  }

  get(key: string): V | undefined {
    const value = this.#newer.get(key);
    if (value !== undefined) return value;
    const old = this.#older.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: V): void {
    this.#older.delete(key);
    this.#newer.set(key, value);
    if (this.#newer.size < this.#most) return;
    this.#older = this.#newer;
    this.#newer = new Map();
  }

  delete(key: string): void {
    this.#newer.delete(key);
    this.#older.delete(key);
  }
}
