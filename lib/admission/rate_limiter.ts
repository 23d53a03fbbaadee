/** Connection rates by address, limited with token buckets. */

/** Addresses per generation; a flood from more of them costs 20 MB, and buckets are dropped sooner. */
const MAX_ADDRESSES = 100_000;

/** A bucket that is unused for this long, in milliseconds, is full again and can be dropped. */
const FULL_AGAIN_MS = 1000;

/**
 * Token buckets by address: `rate` tokens a second, and at most `rate` at once.
 *
 * A bucket is one number, the time at which it is full again. Buckets are kept in two generations; the older one is
 * dropped once all its buckets are full, or once the younger one is full.
 */
export class RateLimiter {
  readonly #now: () => number;
  readonly #maxAddresses: number;
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #bornAt = 0;

  /**
   * @param now A monotonic clock, in milliseconds. @default performance.now
   * @param maxAddresses Addresses per generation. @default 100 000
   */
  constructor(now: () => number = () => performance.now(), maxAddresses = MAX_ADDRESSES) {
    this.#now = now;
    this.#maxAddresses = maxAddresses;
  }

  /** Number of buckets kept. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Takes a token of `address`; false if its bucket is empty. */
  tryTake(address: string, rate: number): boolean {
    const now = this.#now();
    this.#rotate(now);
    const fullAt = Math.max(this.#young.get(address) ?? this.#old.get(address) ?? 0, now) + 1000 / rate;
    // tolerance: a rounding error must not cost the last token
    if (fullAt - now > FULL_AGAIN_MS + 1e-6) return false;
    this.#young.set(address, fullAt);
    return true;
  }

  #rotate(now: number): void {
    if (now - this.#bornAt < FULL_AGAIN_MS && this.#young.size < this.#maxAddresses) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#bornAt = now;
  }
}
