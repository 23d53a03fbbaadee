/** `switchyard completions`: completion scripts for shells. */

import { UsageError } from "../errors.ts";
import { quote } from "../util/text.ts";
import { completionScript, SHELLS } from "./completion_scripts.ts";
import { type CommandSpec, readFlags } from "./flags.ts";
import type { Io } from "./io.ts";

export const spec: CommandSpec = {
  name: "completions",
  summary: `Prints the script that completes commands and flags in a shell: ${SHELLS.join(", ")}.`,
  positional: ["SHELL"],
  flags: {},
  examples: ["completions bash"],
};

/** @param specs The declarations of all commands. */
export function run(args: readonly string[], io: Io, specs: readonly CommandSpec[]): number {
  const [name] = readFlags(args, spec).positional;
  const shell = SHELLS.find((known) => known === name);
  if (!shell) throw new UsageError(`completions: ${quote(name)} is not one of ${SHELLS.join(", ")}`);
  io.out(completionScript(shell, specs));
  return 0;
}
