/**
 * Tables of IDs in shared memory, in which every thread looks IDs up. The types here are plain objects, so a message
 * passes them to another thread without copying the content.
 *
 * The files' bytes are kept as they are, with an index beside them: entries in file order, and slots of a hash table
 * that find the entry of an ID.
 */

import type { HashKey } from "../util/half_siphash.ts";

/** Where an ID of a table is routed to. */
export type TableTarget =
  | { readonly host: string; readonly port: number; readonly pool?: undefined }
  | { readonly pool: string };

/** The concatenated bytes of several files. */
export interface TableText {
  /** Each file ends with a newline, which is added if missing. */
  readonly bytes: SharedArrayBuffer;
  readonly files: readonly TextFile[];
}

/** One of the files. */
export interface TextFile {
  /** As the configuration names it. */
  readonly name: string;
  /** Its path, for messages. */
  readonly path: string;
  /** Start and end (exclusive) in the concatenated bytes. */
  readonly start: number;
  readonly end: number;
}

/** A parsed file. */
export interface TableFile extends TextFile {
  /** Number of its IDs. */
  readonly size: number;
  /** The line that was recognised as a header. */
  readonly header?: { readonly line: number; readonly text: string };
}

/** The difference between a table and the previous one. */
export interface TableChange {
  /** The `serial` of the previous table. */
  readonly since: string;
  /** Number of IDs in both. */
  readonly kept: number;
  /** Number of these with another target. */
  readonly changed: number;
}

/** All tables of a configuration as one. Immutable. Each ID occurs once. */
export interface TableData {
  /** Unique to each table. */
  readonly serial: string;
  readonly text: SharedArrayBuffer;
  /** Two words of 32 bits per entry: the offset of its line in the text, and the line number in its file. */
  readonly entries: SharedArrayBuffer;
  /**
   * Three words per slot, so that a look-up needs no entry: the hash of the ID, the offset of its line plus 1 (0 if the
   * slot is empty), and the line number.
   */
  readonly slots: SharedArrayBuffer;
  /** Number of entries. */
  readonly size: number;
  /** Length of the longest ID, in bytes. */
  readonly longest: number;
  readonly key: HashKey;
  readonly files: readonly TableFile[];
  readonly change?: TableChange;
}

/** The line of an ID: its offset in the text, and its number in its file. */
export interface LinePlace {
  readonly start: number;
  readonly line: number;
}

/** Words of an entry. */
export const ENTRY_WORDS = 2;

/** Words of a slot. */
export const SLOT_WORDS = 3;

/** Bytes with a meaning in a table file. */
export const [TAB, NEWLINE, CARRIAGE_RETURN, HASH_SIGN] = [0x09, 0x0a, 0x0d, 0x23];
