/** Text for messages that a person reads. */

// @ts-types="./std_text.d.ts"
import { closestString } from "@std/text/closest-string";
// @ts-types="./std_text.d.ts"
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** `value` in quotes, with control characters escaped, shortened if it is long. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/**
 * `text` with line ends, control characters, invisible characters and changes of the writing direction escaped. The
 * escapes are those of JSON, so JSON text keeps its value.
 */
export function plain(text: string): string {
  // printable ASCII, as nearly all lines are
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    return character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  });
}

/**
 * The candidate that `name` is probably a misspelling of, or undefined if none is close. Case is ignored.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const words = [...candidates];
  if (words.length === 0) return undefined;
  const closest = closestString(name, words, { compareFn: distance });
  const most = Math.max(1, Math.floor(name.length / 3));
  return distance(name.toLowerCase(), closest.toLowerCase()) <= most ? closest : undefined;
}

/** Insertions, deletions and replacements between two words; two swapped letters count as one. */
function distance(from: string, to: string): number {
  let at = 0;
  while (at < from.length && from[at] === to[at]) at += 1;
  const swapped = from.slice(0, at) + (from[at + 1] ?? "") + (from[at] ?? "") + from.slice(at + 2);
  return from !== to && swapped === to ? 1 : levenshteinDistance(from, to);
}

/** `host:port` of a configured address, with brackets around an IPv6 address. */
export function hostPortText({ host, port }: { host: string; port: number }): string {
  return addressText({ hostname: host, port });
}

/** A target in messages: `host:port`, or `pool` and its name. */
export function targetText(
  target: { pool: string } | { host: string; port: number; pool?: undefined },
): string {
  return target.pool === undefined ? hostPortText(target) : `pool ${target.pool}`;
}

/** `host:port` of a platform address, with brackets around an IPv6 address. */
export function addressText(address: { hostname: string; port: number }): string {
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** A duration in the configuration's notation: `250ms`, `1.5s`, `5m`, `1h`, `0s`. */
export function durationText(milliseconds: number): string {
  const units = [["h", 3_600_000], ["m", 60_000], ["s", 1000]] as const;
  const [unit, scale] = units.find(([, size]) => milliseconds >= size && milliseconds % size === 0) ??
    ["s", 1000];
  if (milliseconds > 0 && milliseconds < 1000) return `${milliseconds}ms`;
  return `${milliseconds / scale}${unit}`;
}

/** A number with its noun: `1 route`, `2 routes`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
