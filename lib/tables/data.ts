/**
 * Tables of IDs in shared memory: what every thread looks IDs up in. The types here are plain objects, so a message
 * passes them to another thread, and nothing is copied.
 *
 * The files' bytes are kept as they are. An index of the IDs stands beside them: entries in file order, and slots that
 * find the entry of an ID by its hash.
 */

import type { HashKey } from "../util/half_siphash.ts";

/** Where the connections of a table's ID go. */
export type TableTarget =
  | { readonly host: string; readonly port: number; readonly pool?: undefined }
  | { readonly pool: string };

/** The bytes of several files, one after the other. */
export interface TableText {
  /** Each file ends with a newline; one is added where it has none. */
  readonly bytes: SharedArrayBuffer;
  readonly files: readonly TextFile[];
}

/** One of the files. */
export interface TextFile {
  /** As the configuration names it. */
  readonly name: string;
  /** Its path, for messages. */
  readonly path: string;
  /** Where it begins and ends in the bytes of all. */
  readonly start: number;
  readonly end: number;
}

/** What is known of one of the files once it is parsed. */
export interface TableFile extends TextFile {
  /** Number of its IDs. */
  readonly size: number;
  /** The line that was taken for a header. */
  readonly header?: { readonly line: number; readonly text: string };
}

/** How a table differs from the one before it. */
export interface TableChange {
  /** The `serial` of the table before. */
  readonly since: string;
  /** IDs that both have. */
  readonly kept: number;
  /** Those of them that lead elsewhere now. */
  readonly changed: number;
}

/** All tables of a configuration as one. Immutable. No ID is in it twice. */
export interface TableData {
  /** No two tables have the same. */
  readonly serial: string;
  readonly text: SharedArrayBuffer;
  /** For each entry two words of 32 bits: where its line begins in the text, and the line's number in its file. */
  readonly entries: SharedArrayBuffer;
  /**
   * For each slot three words, so that a look-up needs no entry: the hash of the ID, the place of its line plus 1, or 0
   * where the slot is empty, and the line's number.
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

/** The line of an ID: where it begins in the text, and its number in its file. */
export interface LinePlace {
  readonly start: number;
  readonly line: number;
}

/** Words of an entry. */
export const ENTRY_WORDS = 2;

/** Words of a slot. */
export const SLOT_WORDS = 3;

/** Bytes that the lines are made of. */
export const [TAB, NEWLINE, CARRIAGE_RETURN, HASH_SIGN] = [0x09, 0x0a, 0x0d, 0x23];
