/** Hashes that identify keys in shared memory, which stores no text. */

import { halfSipHash, type HashKey } from "../util/half_siphash.ts";

/**
 * The hash of a key: two signed words. Among n keys a collision has a probability of n² / 2^65, about 1 in 8 million
 * for two million keys, and clients cannot construct one. Colliding keys would be counted as one.
 */
export interface KeyHash {
  /** Never 0. */
  readonly low: number;
  readonly high: number;
}

/** Kinds of keys: the same text has a different hash for each. */
export const KINDS = { address: 1, id: 2, server: 3, rate: 4 } as const;

/** A kind of keys. */
export type Kind = (typeof KINDS)[keyof typeof KINDS];

/** Hashes texts with two secret keys. */
export class KeyHasher {
  readonly #keys: readonly [HashKey, HashKey];
  #bytes = new Uint8Array(512);

  constructor(keys: readonly [HashKey, HashKey]) {
    this.#keys = keys;
  }

  of(kind: Kind, text: string): KeyHash {
    const length = this.#fill(kind, text);
    const [first, second] = this.#keys;
    return {
      low: halfSipHash(this.#bytes, 0, length, first) | 0 || 1,
      high: halfSipHash(this.#bytes, 0, length, second) | 0,
    };
  }

  /** Fills the input with the kind and the UTF-16 code units. Returns the number of bytes. */
  #fill(kind: Kind, text: string): number {
    const length = 1 + 2 * text.length;
    if (length > this.#bytes.length) this.#bytes = new Uint8Array(2 * length);
    const bytes = this.#bytes;
    bytes[0] = kind;
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      bytes[2 * at + 1] = unit & 0xff;
      bytes[2 * at + 2] = unit >>> 8;
    }
    return length;
  }
}
