/** Flags and arguments of a command: declared once, for parsing, for help and for completion. */

// @ts-types="./std_cli.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { UsageError } from "../errors.ts";
import { nearest, quote } from "../util/text.ts";

/** One flag. */
export interface Flag {
  /** The name of its value in capitals, such as `HOST:PORT`; without it the flag is a switch. */
  readonly value?: string;
  /** The allowed values, if there are only a few. */
  readonly choices?: readonly string[];
  /** Its one-letter form. */
  readonly short?: string;
  /** Whether it may be given several times. */
  readonly repeated?: boolean;
  /** Whether the command fails without it. */
  readonly required?: boolean;
  readonly help: string;
}

/** The declaration of a command. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  /** Arguments in order, such as `ID`, or `[FILE]` if optional. */
  readonly positional?: readonly string[];
  readonly flags: Readonly<Record<string, Flag>>;
  /** Command lines without `switchyard`, such as `check -c routes.yaml`. */
  readonly examples?: readonly string[];
}

/** A parsed command line. */
export interface ParsedFlags {
  /** The last value of a flag. */
  value(name: string): string | undefined;
  /** Every value of a repeated flag. */
  values(name: string): readonly string[];
  /** Whether a switch was given. */
  has(name: string): boolean;
  readonly positional: readonly string[];
}

/**
 * Parses `args` as `spec` declares.
 *
 * @param missing Receives the missing required flags, so that a command can report them with its own problems.
 * @throws {UsageError} with every problem
 */
export function readFlags(args: readonly string[], spec: CommandSpec, missing?: string[]): ParsedFlags {
  const problems: string[] = [];
  const { flags } = spec;
  const withValue = Object.keys(flags).filter((name) => flags[name]?.value !== undefined);
  const joined = joinValues(args, spec, problems);
  problems.push(...switchProblems(joined, spec));
  const parsed = parseArgs(joined, {
    string: [...withValue, "_"],
    boolean: Object.keys(flags).filter((name) => flags[name]?.value === undefined),
    collect: withValue,
    alias: Object.fromEntries(
      Object.entries(flags).flatMap(([name, { short }]) => short ? [[short, name]] : []),
    ),
    unknown: (argument, key) => {
      if (key !== undefined && key !== "help") problems.push(unknownFlag(argument, spec));
      return key === undefined;
    },
  });
  const values = (name: string) => (Array.isArray(parsed[name]) ? parsed[name] : []).map(String);
  const positional = parsed._.map((word) => String(word).replace(ARGUMENT, ""));
  for (const [name, flag] of Object.entries(flags)) {
    const isReported = problems.some((problem) => problem.startsWith(`--${name}: `));
    if (isReported) continue;
    problems.push(...flagProblems(name, flag, values(name)));
    if (flag.required && values(name).length === 0) {
      (missing ?? problems).push(`${spec.name}: --${name} ${flag.value} is missing${exampleHint(spec)}`);
    }
  }
  problems.push(...positionalProblems(positional, spec));
  // the parser reports letters in one word one by one
  if (problems.length > 0) throw new UsageError([...new Set([...problems, ...missing ?? []])]);
  return { value: (name) => values(name).at(-1), values, has: (name) => parsed[name] === true, positional };
}

/** A negative number is an argument: an ID may be one. */
const NEGATIVE = /^-\d+$/;

/** Marks an argument that the parser would mistake for a flag. Arguments of a process cannot contain this character. */
const ARGUMENT = "\0";

/**
 * `--name value` and `-nVALUE` as `--name=value`: the parser takes a value that begins with a dash, such as -1 or -, for
 * a flag.
 */
function joinValues(args: readonly string[], { flags }: CommandSpec, problems: string[]): string[] {
  const joined: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? "";
    if (word === "--") return [...joined, ...args.slice(at)];
    const found = Object.entries(flags).find(([name, { short }]) =>
      word === `--${name}` || word === `-${short}`
    );
    const [name, flag] = found ?? [];
    if (name === undefined || flag?.value === undefined) {
      joined.push(NEGATIVE.test(word) ? ARGUMENT + word : longForm(word, flags));
      continue;
    }
    const next = args[at + 1];
    if (next === undefined || /^-[^\d]/.test(next)) {
      problems.push(`--${name}: a value is missing, expected ${flag.value}`);
    } else {
      joined.push(`--${name}=${next}`);
      at += 1;
    }
  }
  return joined;
}

/** `-cFILE` and `-c=FILE` as `--config=FILE`; any other word as it is. */
function longForm(word: string, flags: CommandSpec["flags"]): string {
  const [, letter, value] = /^-([a-z])=?(.+)$/i.exec(word) ?? [];
  const found = Object.entries(flags).find(([, { short, value }]) => short === letter && value !== undefined);
  return letter === undefined || !found ? word : `--${found[0]}=${value}`;
}

/** `--json=yes`: the parser would take any value but `false` as set. */
function switchProblems(args: readonly string[], { flags }: CommandSpec): string[] {
  const words = args.slice(0, args.includes("--") ? args.indexOf("--") : undefined);
  return words.flatMap((word) => {
    const [, name = "", value] = /^--([^=]+)=(.*)$/s.exec(word) ?? [];
    const isSwitch = name === "help" || (Object.hasOwn(flags, name) && flags[name]?.value === undefined);
    return isSwitch ? [`--${name}: found the value ${quote(value)}, but the flag takes none`] : [];
  });
}

function unknownFlag(argument: string, spec: CommandSpec): string {
  const word = argument.split("=")[0] ?? argument;
  const near = nearest(word, Object.keys(spec.flags).map((name) => `--${name}`));
  const hint = near ? `; did you mean ${near}?` : `; see switchyard ${spec.name} --help`;
  return `${spec.name}: unknown flag ${quote(word)}${hint}`;
}

function flagProblems(name: string, flag: Flag, values: readonly string[]): string[] {
  if (values.includes("")) return [`--${name}: the value is empty, expected ${flag.value}`];
  if (values.length <= 1 || flag.repeated) return [];
  return [`--${name}: given ${values.length} times, expected once`];
}

function positionalProblems(given: readonly string[], spec: CommandSpec): string[] {
  const { name, positional = [] } = spec;
  const missing = positional.slice(given.length).filter((argument) => !argument.startsWith("["));
  const extra = given.slice(positional.length);
  // an empty ID is explained, an empty file name is not readable
  const empty = positional.filter((argument, index) => argument.startsWith("[") && given[index] === "");
  return [
    ...empty.map((argument) => `${name}: the argument is empty, expected ${argument.slice(1, -1)}`),
    ...missing.map((argument) => `${name}: ${argument} is missing${exampleHint(spec)}`),
    ...extra.map((word) => `${name}: unexpected argument ${quote(word)}; see switchyard ${name} --help`),
  ];
}

/** `; for example: switchyard explain 2` */
function exampleHint({ examples: [example] = [] }: CommandSpec): string {
  return example === undefined ? "" : `; for example: switchyard ${example}`;
}
