/** Completion scripts for shells, generated from the commands' declarations. */

import type { CommandSpec, Flag } from "./flags.ts";
import { HELP_FLAG } from "./usage.ts";

/** The supported shells. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell. */
export type Shell = (typeof SHELLS)[number];

/** The values allowed for an argument; others are not completed. */
const POSITIONAL: Readonly<Record<string, readonly string[]>> = { SHELL: SHELLS };

/** The command without a name. */
const DEFAULT_COMMAND = "serve";

/** The script that teaches `shell` to complete the words of `specs`. */
export function completionScript(shell: Shell, specs: readonly CommandSpec[]): string {
  return { bash, zsh, fish }[shell](specs).join("\n");
}

function flagsOf(spec: CommandSpec): (readonly [string, Flag])[] {
  return [...Object.entries(spec.flags), HELP_FLAG];
}

/** `--name`, and `-n` if there is a short form. */
function formsOf([name, { short }]: readonly [string, Flag]): string[] {
  return [`--${name}`, ...(short ? [`-${short}`] : [])];
}

function words(spec: CommandSpec): string[] {
  const positional = (spec.positional ?? []).flatMap((name) => POSITIONAL[name] ?? []);
  return [...positional, ...flagsOf(spec).flatMap(formsOf)];
}

function bash(specs: readonly CommandSpec[]): string[] {
  const names = specs.map(({ name }) => name);
  const values = specs.flatMap((spec) => flagsOf(spec).flatMap((flag) => bashValue(spec, flag)));
  return [
    '# Completion for bash: eval "$(switchyard completions bash)"',
    "_switchyard() {",
    "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}",
    `  local command=${DEFAULT_COMMAND} words`,
    "  # bash makes a word of the = in --flag=value",
    "  if [[ $current == = ]]; then current=",
    "  elif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi",
    "  [[ $COMP_CWORD -eq 1 || ${COMP_WORDS[1]} == -* ]] || command=${COMP_WORDS[1]}",
    "  COMPREPLY=()",
    '  case "$command $previous" in',
    ...values,
    "  esac",
    '  case "$command" in',
    ...specs.map((spec) => `    ${spec.name}) words="${words(spec).join(" ")}" ;;`),
    "  esac",
    `  [[ $COMP_CWORD -ne 1 ]] || words="${names.join(" ")} $words"`,
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    "}",
    "complete -F _switchyard switchyard",
  ];
}

function bashValue({ name }: CommandSpec, flag: readonly [string, Flag]): string[] {
  const [, { value, choices = [] }] = flag;
  if (value === undefined) return [];
  const when = formsOf(flag).map((form) => `"${name} ${form}"`).join(" | ");
  const words = `COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$current"))`;
  // a newline alone separates files: other white space may be in their names
  const files = `local IFS=$'\\n'; compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current"))`;
  return [`    ${when}) ${value === "FILE" ? files : words}; return ;;`];
}

function zsh(specs: readonly CommandSpec[]): string[] {
  return [
    "#compdef switchyard",
    '# Completion for zsh: eval "$(switchyard completions zsh)", or as _switchyard in a folder of $fpath',
    "_switchyard() {",
    `  local command=${DEFAULT_COMMAND}`,
    "  local -a commands=(",
    ...specs.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`),
    "  )",
    "  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then _describe command commands; return; fi",
    "  if [[ $words[2] != -* ]]; then command=$words[2]; shift words; (( CURRENT-- )); fi",
    "  case $command in",
    ...specs.map((spec) => `    ${spec.name}) _arguments ${zshArguments(spec).join(" ")} ;;`),
    "  esac",
    "}",
    "if [[ $funcstack[1] == _switchyard ]]; then _switchyard; else compdef _switchyard switchyard; fi",
  ];
}

function zshArguments(spec: CommandSpec): string[] {
  const positional = (spec.positional ?? []).map((name) => quoted(`:${name}:${zshWords(POSITIONAL[name])}`));
  return [...flagsOf(spec).map(zshFlag), ...positional];
}

function zshFlag(flag: readonly [string, Flag]): string {
  const [, { value, choices, repeated, help }] = flag;
  const forms = formsOf(flag);
  const rule = repeated ? "*" : forms.length > 1 ? `(${forms.join(" ")})` : "";
  const about = `[${help.replace(/[[\]:\\]/g, "\\$&")}]`;
  const then = value === undefined ? "" : `:${value.replaceAll(":", "\\:")}:${zshWords(choices, value)}`;
  const spelled = forms.map((form) =>
    value === undefined ? form : `${form}${form.startsWith("--") ? "=" : "+"}`
  );
  if (spelled.length === 1) return quoted(`${rule}${spelled[0]}${about}${then}`);
  return `${quoted(rule)}{${spelled.join(",")}}${quoted(`${about}${then}`)}`;
}

function zshWords(choices: readonly string[] | undefined, value?: string): string {
  if (choices) return `(${choices.join(" ")})`;
  return value === "FILE" ? "_files" : "";
}

function fish(specs: readonly CommandSpec[]): string[] {
  const others = specs.map(({ name }) => name).filter((name) => name !== DEFAULT_COMMAND).join(" ");
  const commands = specs.map(({ name, summary }) =>
    `complete -c switchyard -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`
  );
  const flags = specs.flatMap((spec) => {
    const { name } = spec;
    const when = name === DEFAULT_COMMAND
      ? `not __fish_seen_subcommand_from ${others}`
      : `__fish_seen_subcommand_from ${name}`;
    const start = `complete -c switchyard -n ${quoted(when)}`;
    const positional = (spec.positional ?? []).flatMap((word) => POSITIONAL[word] ?? []);
    return [
      ...(positional.length > 0 ? [`${start} -a ${quoted(positional.join(" "))}`] : []),
      ...flagsOf(spec).map((flag) => `${start} ${fishFlag(flag)}`),
    ];
  });
  return [
    "# Completion for fish: switchyard completions fish | source",
    "complete -c switchyard -f",
    ...commands,
    ...flags,
  ];
}

function fishFlag([name, { value, choices, short, help }]: readonly [string, Flag]): string {
  const forms = `-l ${name}${short ? ` -s ${short}` : ""} -d ${quoted(help)}`;
  if (value === undefined) return forms;
  if (value === "FILE") return `${forms} -r -F`;
  return `${forms} -x${choices ? ` -a ${quoted(choices.join(" "))}` : ""}`;
}

/** `text` quoted as one word for any of the shells. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
