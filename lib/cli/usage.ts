/** The help text of a command, for a terminal of 80 columns. */

import type { CommandSpec, Flag } from "./flags.ts";

const COLUMNS = 80;

/** Every command has this flag. */
export const HELP_FLAG: readonly [string, Flag] = ["help", { short: "h", help: "show this help" }];

/** Summary, usage line, flags and examples of a command. */
export function helpText(spec: CommandSpec): string {
  const rows = [...Object.entries(spec.flags), HELP_FLAG].map(([name, flag]) =>
    [flagText(name, flag), flag.help] as const
  );
  return [
    ...wrap(spec.summary, COLUMNS),
    "",
    ...usageLines(spec),
    "",
    ...table(rows),
    ...examples(spec),
  ].join("\n");
}

/** Two columns; the second one is wrapped. */
export function table(rows: readonly (readonly [left: string, right: string])[]): string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length)) + 2;
  return rows.flatMap(([left, right]) => {
    const [first = "", ...others] = wrap(right, COLUMNS - width);
    return [left.padEnd(width) + first, ...others.map((line) => " ".repeat(width) + line)];
  });
}

/** `text` in lines of at most `width` columns, unless a word is longer. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function flagText(name: string, { short, value }: Flag): string {
  return `  ${short ? `-${short}, ` : "    "}--${name}${value ? ` ${value}` : ""}`;
}

function usageLines({ name, positional = [], flags }: CommandSpec): string[] {
  const required = Object.entries(flags).filter(([, flag]) => flag.required);
  const words = [
    ...required.map(([flag, { value, repeated }]) => `--${flag} ${value}${repeated ? "..." : ""}`),
    ...positional,
  ];
  const optional = Object.keys(flags).length > required.length ? ["[FLAGS]"] : [];
  return wrap(["usage: switchyard", name, ...words, ...optional].join(" "), COLUMNS);
}

function examples({ examples = [] }: CommandSpec): string[] {
  if (examples.length === 0) return [];
  return [
    "",
    examples.length > 1 ? "examples:" : "example:",
    ...examples.map((line) => `  switchyard ${line}`),
  ];
}
