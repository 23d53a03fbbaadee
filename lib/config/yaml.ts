/**
 * Parses YAML into a tree that keeps the text of its scalars.
 *
 * A plain `007` is 7 to YAML, and a client with the ID `007` would not be found. So the text is parsed twice: once as
 * YAML defines it, once with every scalar as its text. If both agree, the value is used; if YAML would change it,
 * the tree holds an `AmbiguousScalar`.
 */

// @ts-types="./std_yaml.d.ts"
import { parse, YamlSyntaxError } from "@std/yaml";
import { UsageError } from "../errors.ts";
import { plain, quote } from "../util/text.ts";
import type { Position } from "./locate.ts";

/** Text that is not YAML, or YAML that is not accepted. */
export class YamlError extends UsageError {
  /** A position or the path of a field; undefined for the text as a whole. */
  readonly where: Position | string | undefined;

  constructor(message: string, where?: Position | string, options?: ErrorOptions) {
    super(message, options);
    this.where = where;
  }
}

/** A plain scalar that YAML reads as something other than its text: `007`, `1e3`, `~`, a date. */
export class AmbiguousScalar {
  /** The text as written. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Fields by name, without a prototype: `__proto__` is a name like any other. */
export interface Mapping {
  readonly [name: string]: YamlValue;
}

/**
 * A value of the file. Canonical integers are numbers, past 2^53 bigints. `null` is a missing value, as after `host:`.
 */
export type YamlValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | AmbiguousScalar
  | readonly YamlValue[]
  | Mapping;

/** The configuration is five levels deep. The limit also ends a list that contains itself. */
const MAX_DEPTH = 32;

/** A file of 16 MiB of usual routes has about three million values; nested aliases could add any number. */
const MAX_VALUES = 4_000_000;

/** Allows several aliases for each route of the largest file; the parser takes a second for them. */
const MAX_ALIASES = 1_000_000;

/** Longest integer in digits: longer ones are slow to convert. */
const MAX_DIGITS = 1000;

/** Most warnings of the parser, which it gives for lines that are indented too little. */
const MAX_WARNINGS = 10_000;

/** True for fields by name. */
export function isMapping(tree: unknown): tree is Mapping {
  return typeof tree === "object" && tree !== null && !Array.isArray(tree) &&
    !(tree instanceof AmbiguousScalar);
}

/**
 * The tree of the one YAML document in `text`.
 *
 * @throws {UsageError} if the text is not YAML, uses tags or merge keys, or is too deep or too large
 */
export function parseYamlValue(text: string): YamlValue {
  refuseTabs(text);
  refuseAliases(text);
  const written = parseYaml(text, "failsafe");
  const meant = parseYaml(text, "default");
  return new Merge().merge(written, meant);
}

/** YAML forbids tabs as indentation, but the parser ignores them. */
function refuseTabs(text: string): void {
  const indented = /(?:^|[\r\n]) *\t[ \t]*[^\s#]/.exec(text);
  if (indented === null) return;
  const position = positionAt(text, indented.index + indented[0].length - 1);
  throw new YamlError("a tab before the first word; indent YAML with spaces", position);
}

/** Counts asterisks within quotes too, since a configuration has few of them. */
function refuseAliases(text: string): void {
  let count = 0;
  for (const { index } of text.matchAll(/[\s[\]{},:-]\*/g)) {
    if (++count <= MAX_ALIASES) continue;
    throw new YamlError(`more than ${MAX_ALIASES} aliases (*name)`, positionAt(text, index + 1));
  }
}

function positionAt(text: string, index: number): Position {
  const lines = linesOf(text.slice(0, index));
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

function linesOf(text: string): string[] {
  return text.split(/\r\n|\r|\n/);
}

function parseYaml(text: string, schema: "failsafe" | "default"): unknown {
  try {
    return parse(text, { schema, onWarning: limitWarnings() });
  } catch (error) {
    if (error instanceof YamlSyntaxError) throw syntaxError(error, text);
    if (error instanceof RangeError) throw tooDeep(error);
    if (error instanceof UsageError) throw error;
    throw new YamlError(`cannot be read as YAML: ${firstLine(String(error))}`, undefined, { cause: error });
  }
}

/** The parser creates an error for each warning, which takes half a minute for millions of them. */
function limitWarnings(): () => void {
  let left = MAX_WARNINGS;
  return () => {
    if (--left < 0) throw new YamlError("is not indented as YAML requires");
  };
}

function tooDeep(cause?: unknown): YamlError {
  return new YamlError(`is nested more than ${MAX_DEPTH} levels deep`, undefined, { cause });
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? "";
}

function syntaxError(error: YamlSyntaxError, text: string): YamlError {
  const lines = linesOf(text).slice(Math.max(0, error.line - 2), error.line).join("\n");
  const reason = firstLine(error.message).replace(/ at line \d+, column -?\d+:?$/, "");
  const position = { line: error.line, column: Math.max(1, error.column) };
  return new YamlError(`not YAML: ${shortened(reason)}${advice(reason, lines)}`, position, { cause: error });
}

/** The second part of the parser's "Cannot do this: because". */
function shortened(reason: string): string {
  const because = reason.replace(/^Cannot [^:]*: /, "");
  return because.replace(/\p{Cc}/gu, " ").slice(0, 200);
}

function advice(reason: string, lines: string): string {
  if (/:\s+\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]:\d/.test(lines)) return '; quote an IPv6 address: "[::1]:9000"';
  if (/duplicated key/.test(reason)) return "; a field may appear only once";
  if (/unknown tag/.test(reason)) return "; tags are not supported";
  if (/:\s+[*@`%]/.test(lines)) return "; quote a value that begins with a special character";
  return "";
}

/** One walk through both readings of a text. */
class Merge {
  readonly #path: (string | number)[] = [];
  #count = 0;

  merge(written: unknown, meant: unknown): YamlValue {
    if (this.#path.length > MAX_DEPTH) throw tooDeep();
    if (++this.#count > MAX_VALUES) {
      throw this.#error(`has more than ${MAX_VALUES} values, including those of aliases (*name)`);
    }
    if (typeof written === "string") return this.#scalar(written, meant);
    if (Array.isArray(written)) return this.#list(written, meant);
    if (typeof written === "object" && written !== null) return this.#mapping(written, meant);
    return null;
  }

  #list(written: readonly unknown[], meant: unknown): YamlValue {
    const counterparts: readonly unknown[] = Array.isArray(meant) ? meant : [];
    return written.map((item, index) => this.#child(index, item, counterparts[index]));
  }

  #mapping(written: object, meant: unknown): YamlValue {
    const result = Object.create(null);
    for (const [name, value] of Object.entries(written)) {
      result[name] = this.#child(name, value, member(meant, name));
    }
    return result;
  }

  #child(step: string | number, written: unknown, meant: unknown): YamlValue {
    this.#path.push(step);
    const value = this.merge(written, meant);
    this.#path.pop();
    return value;
  }

  #scalar(written: string, meant: unknown): YamlValue {
    if (typeof meant === "string") return meant;
    if (typeof meant === "number" && /^(0|-?[1-9]\d*)$/.test(written)) return this.#integer(written);
    if (typeof meant === "boolean" && String(meant) === written) return meant;
    return new AmbiguousScalar(written);
  }

  #integer(digits: string): number | bigint {
    if (digits.length > MAX_DIGITS) {
      throw this.#error(
        `found an integer of ${digits.length} digits, expected at most ${MAX_DIGITS}; write a longer ID in quotes`,
      );
    }
    const number = Number(digits);
    return Number.isSafeInteger(number) ? number : BigInt(digits);
  }

  #error(message: string): YamlError {
    return new YamlError(message, this.#path.reduce(fieldPath, ""));
  }
}

/** The path of a field, such as `routes[3].port`, from that of the value around it. */
export function fieldPath(parent: string, step: string | number): string {
  if (typeof step === "number") return `${parent}[${step}]`;
  const name = /^[\w-]{1,60}$/.test(step) ? step : plain(quote(step));
  return parent === "" ? name : `${parent}.${name}`;
}

/** Both readings agree on every known field name; other names are reported as unknown anyway. */
function member(meant: unknown, name: string): unknown {
  if (typeof meant !== "object" || meant === null || !Object.hasOwn(meant, name)) return undefined;
  return (meant as Record<string, unknown>)[name];
}
