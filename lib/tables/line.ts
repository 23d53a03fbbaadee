/** The fields of a checked line: an ID, a tab, and either a host, a tab and a port, or the name of a pool. */

import type { Buffer } from "node:buffer";
import { CARRIAGE_RETURN, NEWLINE, TAB, type TableTarget } from "./data.ts";

/** Whether the line at `at` in `text` has the ID that is in `bytes` between `start` and `end`. */
export function hasId(text: Uint8Array, at: number, bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if (text[at++] !== bytes[index]) return false;
  return text[at] === TAB;
}

/** The offset of the next `byte` from `at` on; `end` if there is none before it. */
export function find(text: Uint8Array, byte: number, at: number, end = text.length): number {
  while (at < end && text[at] !== byte) at += 1;
  return at;
}

/** The end of the line's content: without the carriage return and trailing tabs. */
export function contentEnd(text: Uint8Array, start: number, newline: number): number {
  let end = newline;
  if (end > start && text[end - 1] === CARRIAGE_RETURN) end -= 1;
  while (end > start && text[end - 1] === TAB) end -= 1;
  return end;
}

/** A text as a Buffer, which decodes Latin-1 faster than a loop over its bytes. */
export type TextBytes = Buffer<SharedArrayBuffer>;

/** The target of the line at `at`. Hosts, ports and names of pools are ASCII. */
export function targetAt(text: TextBytes, at: number): TableTarget {
  const start = find(text, TAB, at) + 1;
  const end = contentEnd(text, start, find(text, NEWLINE, start));
  const tab = find(text, TAB, start, end);
  if (tab === end) return { pool: text.toString("latin1", start, end) };
  let port = 0;
  for (let index = tab + 1; index < end; index++) port = port * 10 + (text[index] ?? 0) - 0x30;
  return { host: text.toString("latin1", start, tab), port };
}

/** Whether the lines at `at` in `text` and at `otherAt` in `other` have the same target. */
export function isSameTarget(text: Uint8Array, at: number, other: Uint8Array, otherAt: number): boolean {
  const [start, otherStart] = [find(text, TAB, at) + 1, find(other, TAB, otherAt) + 1];
  const end = contentEnd(text, start, find(text, NEWLINE, start));
  const otherEnd = contentEnd(other, otherStart, find(other, NEWLINE, otherStart));
  if (end - start !== otherEnd - otherStart) return false;
  for (let index = start; index < end; index++) {
    if (text[index] !== other[otherStart + index - start]) return false;
  }
  return true;
}
