/** Builds the index of a table. */

import { halfSipHash, type HashKey, randomHashKey } from "../util/half_siphash.ts";
import { ENTRY_WORDS, type LinePlace, SLOT_WORDS, type TableData, type TableFile } from "./data.ts";
import { hasId } from "./line.ts";

/** Adds the IDs of a text in shared memory one by one. */
export class TableBuilder {
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #entries: Uint32Array<SharedArrayBuffer>;
  readonly #slots: Uint32Array<SharedArrayBuffer>;
  readonly #mask: number;
  readonly #key: HashKey;
  #size = 0;
  #longest = 0;

  /**
   * @param text The bytes of all files, in which each ID is followed by a tab.
   * @param capacity Maximum number of IDs.
   * @param key Secret: otherwise clients could construct IDs that are slow to look up.
   */
  constructor(text: SharedArrayBuffer, capacity: number, key = randomHashKey()) {
    // at most half of the slots are in use, which keeps probe sequences short
    const slots = 2 ** Math.ceil(Math.log2(Math.max(1, capacity) * 2));
    this.#bytes = new Uint8Array(text);
    this.#entries = shared(capacity * ENTRY_WORDS);
    this.#slots = shared(slots * SLOT_WORDS);
    this.#mask = slots - 1;
    this.#key = key;
  }

  /** Number of IDs so far. */
  get size(): number {
    return this.#size;
  }

  /** Adds the ID between `start` and `end` (exclusive). @returns the line of an equal ID, if there is one */
  add(start: number, end: number, line: number): LinePlace | undefined {
    const hash = halfSipHash(this.#bytes, start, end, this.#key);
    let slot = (hash & this.#mask) * SLOT_WORDS;
    for (let taken; (taken = this.#slots[slot + 1]); slot = (slot + SLOT_WORDS) % this.#slots.length) {
      if (this.#slots[slot] !== hash || !hasId(this.#bytes, taken - 1, this.#bytes, start, end)) continue;
      return { start: taken - 1, line: this.#slots[slot + 2] ?? 0 };
    }
    this.#slots[slot] = hash;
    this.#slots[slot + 1] = start + 1;
    this.#slots[slot + 2] = line;
    this.#entries[this.#size * ENTRY_WORDS] = start;
    this.#entries[this.#size * ENTRY_WORDS + 1] = line;
    this.#size += 1;
    this.#longest = Math.max(this.#longest, end - start);
    return undefined;
  }

  /** The finished table. No ID may be added afterwards. */
  finish(files: readonly TableFile[]): TableData {
    return {
      serial: crypto.randomUUID(),
      text: this.#bytes.buffer,
      entries: this.#entries.buffer,
      slots: this.#slots.buffer,
      size: this.#size,
      longest: this.#longest,
      key: this.#key,
      files,
    };
  }
}

function shared(words: number): Uint32Array<SharedArrayBuffer> {
  return new Uint32Array(new SharedArrayBuffer(words * Uint32Array.BYTES_PER_ELEMENT));
}
