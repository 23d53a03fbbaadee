/**
 * YAML as a tree that still knows what was written.
 *
 * A plain `007` is 7 to YAML, and a client that calls itself `007` would not be found. So the text is parsed twice: once
 * as YAML means it, once with every scalar as the text that stands there. Where both say the same the value is taken;
 * where YAML would change it, the tree holds a `AmbiguousScalar`.
 */

// @ts-types="./std_yaml.d.ts"
import { parse, YamlSyntaxError } from "@std/yaml";
import { UsageError } from "../errors.ts";

/** A plain scalar which YAML takes for something else than the text that stands there: `007`, `1e3`, `~`, a date. */
export class AmbiguousScalar {
  /** What stands in the file. */
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
 * A value of the file. Canonical integers are numbers, past 2^53 bigints. `null` is a value left out, as after `host:`.
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

/** The configuration is four levels deep; this leaves room, and ends a list that contains itself. */
const DEEPEST = 32;

/** Aliases may add this many values to what the text itself can hold. */
const ALIAS_ALLOWANCE = 10_000;

/** Lines indented too little that the parser may put up with, such as a bracket that ends a list. */
const MOST_WARNINGS = 10_000;

/** True for fields by name. */
export function isMapping(tree: unknown): tree is Mapping {
  return typeof tree === "object" && tree !== null && !Array.isArray(tree) &&
    !(tree instanceof AmbiguousScalar);
}

/**
 * The tree of the one YAML document in `text`.
 *
 * @throws {UsageError} where the text is not YAML, uses tags or merge keys, or is too deep or too large
 */
export function parseYamlValue(text: string): YamlValue {
  refuseTabs(text);
  const written = parseYaml(text, "failsafe");
  const meant = parseYaml(text, "default");
  return new Merge(text.length + ALIAS_ALLOWANCE).merge(written, meant, 0);
}

/** YAML forbids them, yet the parser takes a line that a tab indents for one that is not indented at all. */
function refuseTabs(text: string): void {
  const indented = /(?:^|[\r\n]) *\t[ \t]*[^\s#]/.exec(text);
  if (indented === null) return;
  const line = linesOf(text.slice(0, indented.index + indented[0].length)).length;
  throw new UsageError(`line ${line}: a tab stands before the first word; YAML is indented with spaces`);
}

function linesOf(text: string): string[] {
  return text.split(/\r\n|\r|\n/);
}

function parseYaml(text: string, schema: "failsafe" | "default"): unknown {
  try {
    return parse(text, { schema, onWarning: limitWarnings() });
  } catch (error) {
    if (error instanceof YamlSyntaxError) throw new UsageError(explain(error, text), { cause: error });
    if (error instanceof RangeError) throw tooDeep(error);
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot be read as YAML: ${firstLine(String(error))}`, { cause: error });
  }
}

/** The parser builds an error for each, which takes half a minute for a file that deserves millions. */
function limitWarnings(): () => void {
  let left = MOST_WARNINGS;
  return () => {
    if (--left < 0) throw new UsageError("is not indented as YAML has to be");
  };
}

function tooDeep(cause?: unknown): UsageError {
  return new UsageError(`is nested more than ${DEEPEST} levels deep`, { cause });
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? "";
}

function explain(error: YamlSyntaxError, text: string): string {
  const lines = linesOf(text).slice(Math.max(0, error.line - 2), error.line).join("\n");
  const reason = firstLine(error.message).replace(/ at line \d+, column -?\d+:?$/, "");
  return `line ${error.line}: not YAML: ${quieten(reason)}${advice(reason, lines)}`;
}

/** The parser says "Cannot do this: because"; the reader of a configuration needs the latter part. */
function quieten(reason: string): string {
  const because = reason.replace(/^Cannot [^:]*: /, "");
  return because.replace(/\p{Cc}/gu, " ").slice(0, 200);
}

function advice(reason: string, lines: string): string {
  if (/:\s+\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]:\d/.test(lines)) return '; quote an IPv6 address: "[::1]:9000"';
  if (/duplicated key/.test(reason)) return "; a field may stand only once";
  if (/unknown tag/.test(reason)) return "; tags are not supported";
  if (/:\s+[*@`%]/.test(lines)) return "; quote a value that begins with a special character";
  return "";
}

/** One walk through both readings of a text. */
class Merge {
  #left: number;

  constructor(most: number) {
    this.#left = most;
  }

  merge(written: unknown, meant: unknown, depth: number): YamlValue {
    if (depth > DEEPEST) throw tooDeep();
    if (--this.#left < 0) throw new UsageError("grows too large: its aliases (*name) repeat too much");
    if (typeof written === "string") return scalar(written, meant);
    if (Array.isArray(written)) return this.#list(written, meant, depth);
    if (typeof written === "object" && written !== null) return this.#mapping(written, meant, depth);
    return null;
  }

  #list(written: readonly unknown[], meant: unknown, depth: number): YamlValue {
    const counterparts: readonly unknown[] = Array.isArray(meant) ? meant : [];
    return written.map((item, index) => this.merge(item, counterparts[index], depth + 1));
  }

  #mapping(written: object, meant: unknown, depth: number): YamlValue {
    const result = Object.create(null);
    for (const [name, value] of Object.entries(written)) {
      result[name] = this.merge(value, member(meant, name), depth + 1);
    }
    return result;
  }
}

/** Both readings agree on every name that the configuration knows; others are reported as unknown in any case. */
function member(meant: unknown, name: string): unknown {
  if (typeof meant !== "object" || meant === null || !Object.hasOwn(meant, name)) return undefined;
  return (meant as Record<string, unknown>)[name];
}

function scalar(written: string, meant: unknown): YamlValue {
  if (typeof meant === "string") return meant;
  if (typeof meant === "number" && /^(0|-?[1-9]\d*)$/.test(written)) return integer(written);
  if (typeof meant === "boolean" && String(meant) === written) return meant;
  return new AmbiguousScalar(written);
}

function integer(digits: string): number | bigint {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}
