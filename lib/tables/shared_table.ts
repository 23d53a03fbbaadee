/** Look-ups in a table that is in shared memory. */

import { halfSipHash } from "../util/half_siphash.ts";
import { Buffer } from "node:buffer";
import {
  ENTRY_WORDS,
  type LinePlace,
  SLOT_WORDS,
  TAB,
  type TableChange,
  type TableData,
  type TableTarget,
} from "./data.ts";
import { find, hasId, isSameTarget, targetAt, type TextBytes } from "./line.ts";

/** An ID of a table. */
export interface TableEntry {
  readonly id: string;
  /** The file as the configuration names it, and the line number. */
  readonly file: string;
  readonly line: number;
  readonly target: TableTarget;
}

/** The IDs of a table. Several threads can each have one for the same data. */
export class SharedTable {
  readonly data: TableData;
  readonly #text: TextBytes;
  readonly #entries: Uint32Array;
  readonly #slots: Uint32Array;
  /** Buffer for the UTF-8 of the ID that is looked up. */
  readonly #sought: Uint8Array;

  constructor(data: TableData) {
    this.data = data;
    this.#text = Buffer.from(data.text);
    this.#entries = new Uint32Array(data.entries);
    this.#slots = new Uint32Array(data.slots);
    this.#sought = new Uint8Array(weightOf(data), 0, data.longest * MAX_BYTES_PER_UNIT);
  }

  /** Number of IDs. */
  get size(): number {
    return this.data.size;
  }

  /**
   * The entry of `id`. The time is bounded by the length of the longest ID: without the secret key, clients cannot
   * construct IDs with long probe sequences.
   */
  find(id: string): TableEntry | undefined {
    const place = this.placeOf(id);
    return place && this.#entry(place, id);
  }

  has(id: string): boolean {
    return this.#slotOf(id) !== undefined;
  }

  /** The line of `id`. */
  placeOf(id: string): LinePlace | undefined {
    const slot = this.#slotOf(id);
    return slot === undefined ? undefined : this.#placeIn(slot);
  }

  /** The entries in the order of files and lines, without the first `skipped`. */
  *entries(skipped = 0): Generator<TableEntry> {
    for (let at = skipped * ENTRY_WORDS; at < this.size * ENTRY_WORDS; at += ENTRY_WORDS) {
      const start = this.#entries[at] ?? 0;
      const id = utf8.decode(this.#text.subarray(start, find(this.#text, TAB, start)));
      yield this.#entry({ start, line: this.#entries[at + 1] ?? 0 }, id);
    }
  }

  /**
   * Compares this table with its successor. Yields after every few entries, so that the caller can do other work
   * meanwhile.
   */
  *compare(after: SharedTable): Generator<void, TableChange> {
    let [kept, changed] = [0, 0];
    for (let entry = 0; entry < this.size; entry++) {
      if (entry % COMPARED_AT_ONCE === 0) yield;
      const start = this.#entries[entry * ENTRY_WORDS] ?? 0;
      const slot = after.#search(this.#text, start, find(this.#text, TAB, start));
      if (slot === undefined) continue;
      kept += 1;
      if (!isSameTarget(this.#text, start, after.#text, after.#placeIn(slot).start)) changed += 1;
    }
    return { since: this.data.serial, kept, changed };
  }

  #placeIn(slot: number): LinePlace {
    return { start: (this.#slots[slot + 1] ?? 1) - 1, line: this.#slots[slot + 2] ?? 0 };
  }

  #entry({ start, line }: LinePlace, id: string): TableEntry {
    const [only = { name: "" }, ...others] = this.data.files;
    const file = others.length === 0 ? only : this.data.files.find(({ end }) => start < end);
    return { id, file: file?.name ?? "", line, target: targetAt(this.#text, start) };
  }

  #slotOf(id: string): number | undefined {
    // an ID has at least as many bytes as UTF-16 code units
    if (id.length === 0 || id.length > this.data.longest) return undefined;
    const length = encode(id, this.#sought);
    return length === undefined ? undefined : this.#search(this.#sought, 0, length);
  }

  /** The index of the slot whose ID equals `bytes` between `start` and `end`. */
  #search(bytes: Uint8Array, start: number, end: number): number | undefined {
    const hash = halfSipHash(bytes, start, end, this.data.key);
    const words = this.#slots.length;
    for (let slot = (hash & (words / SLOT_WORDS - 1)) * SLOT_WORDS;; slot = (slot + SLOT_WORDS) % words) {
      const taken = this.#slots[slot + 1] ?? 0;
      if (taken === 0) return undefined;
      if (this.#slots[slot] === hash && hasId(this.#text, taken - 1, bytes, start, end)) return slot;
    }
  }
}

/** Entries compared between two yields: far less than a millisecond. */
const COMPARED_AT_ONCE = 200;

/** A UTF-16 code unit is at most three bytes of UTF-8; a surrogate pair is four. */
const MAX_BYTES_PER_UNIT = 3;

const encoder = new TextEncoder();
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A buffer of the size of the table, whose start is used for encoded IDs. The garbage collector does not count shared
 * memory, and would keep hundreds of replaced tables; it counts this. Untouched pages take no memory.
 */
function weightOf({ text, entries, slots, longest }: TableData): ArrayBuffer {
  const shared = text.byteLength + entries.byteLength + slots.byteLength;
  return new ArrayBuffer(Math.max(shared, longest * MAX_BYTES_PER_UNIT));
}

/** Encodes `id` as UTF-8. @returns its length in bytes, or undefined if it is not well-formed and so not a valid ID */
function encode(id: string, into: Uint8Array): number | undefined {
  for (let index = 0; index < id.length; index++) {
    const unit = id.charCodeAt(index);
    if (unit > 0x7f) return id.isWellFormed() ? encoder.encodeInto(id, into).written : undefined;
    into[index] = unit;
  }
  return id.length;
}
