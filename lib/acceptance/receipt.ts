/** The random numbers of the acceptance scenario, and the tally that both ends keep of them. */

import { crc32 } from "node:zlib";

/** The acceptance server's answer, as JSON in one DATA frame. */
export interface Receipt {
  readonly id: string;
  readonly count: number;
  /** Modulo 2^32. */
  readonly sum: number;
  /** CRC-32 over all DATA values in order. */
  readonly crc32: number;
}

/** Counts, sums and checks values of four bytes. */
export class Tally {
  #count = 0;
  #sum = 0;
  #crc = 0;

  /** Adds one u32 big-endian. @throws RangeError if `value` is not four bytes. */
  add(value: Uint8Array): void {
    if (value.length !== 4) {
      throw new RangeError(`a DATA frame of ${value.length} bytes, expected a number of 4 bytes`);
    }
    this.#count += 1;
    this.#sum = (this.#sum + new DataView(value.buffer, value.byteOffset).getUint32(0)) >>> 0;
    this.#crc = crc32(value, this.#crc);
  }

  receipt(id: string): Receipt {
    return { id, count: this.#count, sum: this.#sum, crc32: this.#crc };
  }
}

/** Pseudo-random u32, the same for the same seed (xorshift32, Marsaglia 2003). */
export function* randomNumbers(seed: number): Generator<number, never> {
  let state = (seed >>> 0) || 0x9e3779b9;
  for (;;) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield state >>> 0;
  }
}
