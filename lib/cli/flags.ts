/** Flags of a command: declared once, for parsing and for help. */

// @ts-types="./std_cli.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { UsageError } from "../errors.ts";
import { nearest, quote } from "../util/text.ts";

/** One flag. */
export interface Flag {
  /** What its value is, in capitals, such as `HOST:PORT`; without it the flag is a switch. */
  readonly value?: string;
  /** The words that its value may be, where only a few are allowed. */
  readonly choices?: readonly string[];
  /** One letter that stands for it. */
  readonly short?: string;
  /** Whether it may be given several times. */
  readonly repeated?: boolean;
  readonly help: string;
}

/** A command's words: its line, its positional arguments by name and its flags by name. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  readonly positional?: readonly string[];
  readonly flags: Readonly<Record<string, Flag>>;
}

/** What was given. */
export interface ParsedFlags {
  /** The last value of a flag. */
  value(name: string): string | undefined;
  /** Every value of a repeated flag. */
  values(name: string): readonly string[];
  /** Whether a switch was given. */
  has(name: string): boolean;
  readonly positional: readonly string[];
}

/** Reads `args` as `spec` says. @throws {UsageError} with every problem. */
export function readFlags(args: readonly string[], spec: CommandSpec): ParsedFlags {
  const problems: string[] = [];
  const { flags } = spec;
  const withValue = Object.keys(flags).filter((name) => flags[name]?.value !== undefined);
  const parsed = parseArgs(args, {
    string: [...withValue, "_"],
    boolean: Object.keys(flags).filter((name) => flags[name]?.value === undefined),
    collect: withValue,
    alias: Object.fromEntries(
      Object.entries(flags).flatMap(([name, { short }]) => short ? [[short, name]] : []),
    ),
    unknown: (argument, key) => {
      if (key !== undefined) problems.push(unknownFlag(argument, spec));
      return key === undefined;
    },
  });
  const values = (name: string) => (Array.isArray(parsed[name]) ? parsed[name] : []).map(String);
  const positional = parsed._.map(String);
  for (const name of withValue) problems.push(...valueProblems(name, values(name), flags[name]));
  problems.push(...positionalProblems(positional, spec));
  // of letters in one word the parser tells one by one
  if (problems.length > 0) throw new UsageError([...new Set(problems)]);
  return { value: (name) => values(name).at(-1), values, has: (name) => parsed[name] === true, positional };
}

function unknownFlag(argument: string, spec: CommandSpec): string {
  const word = argument.split("=")[0] ?? argument;
  const near = nearest(word, Object.keys(spec.flags).map((name) => `--${name}`));
  const hint = near ? `; did you mean ${near}?` : `; see switchyard ${spec.name} --help`;
  return `${spec.name}: unknown flag ${quote(word)}${hint}`;
}

function valueProblems(name: string, values: readonly string[], flag: Flag | undefined): string[] {
  if (values.includes("")) return [`--${name}: a value is missing, ${flag?.value} is wanted`];
  if (values.length > 1 && !flag?.repeated) {
    return [`--${name}: given ${values.length} times, once is allowed`];
  }
  return [];
}

function positionalProblems(given: readonly string[], { name, positional = [] }: CommandSpec): string[] {
  const missing = positional.slice(given.length).map((what) => `${name}: ${what} is missing`);
  const extra = given.slice(positional.length).map((word) => `${name}: unexpected argument ${quote(word)}`);
  return [...missing, ...extra];
}

/** The help text of a command. */
export function helpText(spec: CommandSpec): string {
  const rows = Object.entries(spec.flags).map(([name, flag]) => {
    const short = flag.short ? `-${flag.short}, ` : "    ";
    return [`  ${short}--${name}${flag.value ? ` ${flag.value}` : ""}`, flag.help] as const;
  });
  const width = Math.max(0, ...rows.map(([left]) => left.length)) + 2;
  const words = [
    "switchyard",
    spec.name,
    ...(spec.positional ?? []),
    ...(rows.length > 0 ? ["[flags]"] : []),
  ];
  const table = rows.map(([left, right]) => left.padEnd(width) + right);
  return [spec.summary, "", `usage: ${words.join(" ")}`, ...(rows.length > 0 ? ["", ...table] : [])].join(
    "\n",
  );
}
