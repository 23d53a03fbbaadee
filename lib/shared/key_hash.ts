/** Hashes by which keys are found in shared memory, which holds no text. */

import { halfSipHash, type HashKey } from "../util/half_siphash.ts";

/**
 * The hash of a key: two words, signed. Two of n keys have the same one with a probability of n² / 2^65, about 1 in 8
 * million for two million keys, and nobody can choose such keys. They would be counted as one.
 */
export interface KeyHash {
  /** Never 0. */
  readonly low: number;
  readonly high: number;
}

/** Kinds of keys: the same text has another hash under another kind. */
export const KINDS = { address: 1, id: 2, server: 3, rate: 4 } as const;

/** A kind of keys. */
export type Kind = (typeof KINDS)[keyof typeof KINDS];

/** Hashes texts under two secrets. */
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

  /** Gives the number of bytes of the kind and the UTF-16 code units. */
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
