/** The rules for one line of a tab-separated file. */

import { HASH_SIGN, TAB } from "../tables/data.ts";
import { find } from "../tables/line.ts";
import { halfSipHash } from "../util/half_siphash.ts";
import { nearest, plain, quote } from "../util/text.ts";
import { HOST_EXPECTED, idExpected, parseHost, parsePort, PORT_EXPECTED } from "./values.ts";

/** The settings that a line is checked against. */
export interface LineRules {
  /** Longest ID, in bytes. */
  readonly idBytes: number;
  /** The names of the pools. */
  readonly pools: readonly string[];
}

/** A line with content: its start and end, and its first tab, or its end if it has no tab. */
export interface Fields {
  readonly start: number;
  readonly firstTab: number;
  readonly end: number;
}

const LINE_EXPECTED =
  "an ID, a host and a port with a tab between each, or an ID, a tab and the name of a pool";

/** Longest valid line: `limits.id_bytes` is at most 65535, a host has 253 characters. Longer text would be slow. */
const MAX_LINE_BYTES = 1 << 17;

/** Number of valid targets that are remembered: most tables have only a few. */
const REMEMBERED = 1 << 14;

/** Checks lines of one text. */
export class LineChecker {
  readonly #bytes: Uint8Array;
  readonly #rules: LineRules;
  readonly #pools: ReadonlySet<string>;
  /** Start and end of targets that are right, by a hash of their text. */
  readonly #right = new Uint32Array(REMEMBERED * 2);

  constructor(bytes: Uint8Array, rules: LineRules) {
    this.#bytes = bytes;
    this.#rules = rules;
    this.#pools = new Set(rules.pools);
  }

  /** The fields of a line; undefined for a comment and for a line without content. */
  fields(start: number, end: number): Fields | undefined {
    if (start === end || this.#bytes[start] === HASH_SIGN) return undefined;
    const firstTab = find(this.#bytes, TAB, start, end);
    const fields = { start, firstTab, end };
    const isBlank = firstTab === end && !isTooLong(fields) && this.text(fields).trim() === "";
    return isBlank ? undefined : fields;
  }

  /** The text of a line; of one that is too long its beginning. */
  text({ start, end }: Pick<Fields, "start" | "end">): string {
    return lenient.decode(this.#bytes.subarray(start, Math.min(end, start + MAX_LINE_BYTES)));
  }

  /** The ID, for a message. */
  idText({ start, firstTab }: Fields): string {
    return plain(quote(this.text({ start, end: firstTab })));
  }

  /**
   * Whether the first line with content names the columns, in any language: its last field has no digit, so it is
   * no port, and is neither the name of a pool nor close to one. A line is data if its host is an address with a dot or
   * a colon and some digit: that has a wrong port.
   */
  isHeader(fields: Fields): boolean {
    const text = this.text(fields);
    const [id = "", target = "", port] = text.split("\t");
    if (fields.firstTab === fields.end || isTooLong(fields) || /\p{Cc}/u.test(text.replaceAll("\t", ""))) {
      return false;
    }
    if (target === "" || port === "" || /\p{Nd}/u.test(port ?? target)) return false;
    if (port !== undefined) return !(/[.:]/.test(target) && /\d/.test(id + target) && parseHost(target));
    return this.#pools.size > 0 && nearest(target, this.#pools) === undefined;
  }

  /**
   * The problem with a line that is not a header; undefined if there is none.
   *
   * @param hint Whether to look for the pool that was meant, which takes time.
   */
  problem(fields: Fields, hint = true): string | undefined {
    if (isTooLong(fields)) {
      return `found a line of ${fields.end - fields.start} bytes, expected at most ${MAX_LINE_BYTES}`;
    }
    return this.#idProblem(fields) ?? this.#targetProblem(fields, hint);
  }

  #idProblem(fields: Fields): string | undefined {
    const { start, firstTab, end } = fields;
    if (firstTab === end) return undefined; // there is no more than one field
    if (firstTab - start <= this.#rules.idBytes && firstTab > start && this.#isAscii(start, firstTab)) {
      return undefined;
    }
    const expected = this.#idExpected(start, firstTab);
    return expected && `found ${this.idText(fields)}, expected ${expected}`;
  }

  #idExpected(start: number, end: number): string | undefined {
    try {
      const id = strict.decode(this.#bytes.subarray(start, end));
      return idExpected(id, this.#rules.idBytes);
    } catch (error) {
      if (error instanceof TypeError) return "text in UTF-8";
      throw error;
    }
  }

  /** Whether every byte is a printable character of ASCII. */
  #isAscii(start: number, end: number): boolean {
    for (let index = start; index < end; index++) {
      const byte = this.#bytes[index] ?? 0;
      if (byte < 0x20 || byte > 0x7e) return false;
    }
    return true;
  }

  #targetProblem(fields: Fields, hint: boolean): string | undefined {
    if (fields.firstTab === fields.end) return this.#fieldsProblem([this.text(fields)], hint);
    const [start, end] = [fields.firstTab + 1, fields.end];
    const slot = 2 * (halfSipHash(this.#bytes, start, end, NO_SECRET) % REMEMBERED);
    if (this.#isRight(slot, start, end)) return undefined;
    const problem = this.#fieldsProblem(this.text(fields).split("\t"), hint);
    if (problem === undefined) {
      this.#right[slot] = start;
      this.#right[slot + 1] = end;
    }
    return problem;
  }

  #isRight(slot: number, start: number, end: number): boolean {
    const [from = 0, to = 0] = [this.#right[slot], this.#right[slot + 1]];
    if (to === 0 || to - from !== end - start) return false;
    for (let index = 0; index < end - start; index++) {
      if (this.#bytes[from + index] !== this.#bytes[start + index]) return false;
    }
    return true;
  }

  #fieldsProblem([id = "", target = "", port, ...others]: readonly string[], hint: boolean) {
    if (others.length > 0) return `found ${others.length + 3} fields, expected ${LINE_EXPECTED}`;
    if (target === "" && port === undefined) {
      return `found ${plain(quote(id))}, expected ${LINE_EXPECTED}${tabHint(id)}`;
    }
    if (port === undefined) return this.#poolProblem(target, hint);
    if (parseHost(target) === undefined) return `found ${plain(quote(target))}, expected ${HOST_EXPECTED}`;
    return parsePort(port) === undefined
      ? `found ${plain(quote(port))}, expected ${PORT_EXPECTED}`
      : undefined;
  }

  #poolProblem(name: string, wantsHint: boolean): string | undefined {
    if (this.#pools.has(name)) return undefined;
    const near = wantsHint ? nearest(name, this.#pools) : undefined;
    const hint = near === undefined ? "" : `; did you mean ${quote(near)}?`;
    const expected = this.#pools.size === 0
      ? "a host and a port: there are no pools"
      : "a host and a port, or the name of a pool";
    return `found ${plain(quote(name))}, expected ${expected}${hint}`;
  }
}

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function isTooLong({ start, end }: Fields): boolean {
  return end - start > MAX_LINE_BYTES;
}

/** Nothing is gained by a file whose targets collide: they are checked again. */
const NO_SECRET = [0, 0] as const;

function tabHint(line: string): string {
  return /[ ,;|]/.test(line) ? "; only tabs separate fields" : "";
}
