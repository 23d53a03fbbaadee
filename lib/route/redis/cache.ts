/** A map of bounded size that drops the least recently used entries. */

/**
 * Two maps, of which the newer takes what is added and what is asked for again. When it has half of the entries that
 * are allowed, it becomes the older one, and what the older one had is forgotten. So nothing is moved at each look-up,
 * and the last half at least is kept.
 */
export class BoundedCache<V> {
  #most: number;
  #newer = new Map<string, V>();
  #older = new Map<string, V>();

  /** @param most Most entries. */
  constructor(most: number) {
    this.#most = Math.ceil(most / 2);
  }

  /** Changes the number of entries that are kept; what is too many is forgotten bit by bit. */
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
