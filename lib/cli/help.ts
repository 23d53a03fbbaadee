/** `switchyard help`: the list of commands, or the help of one. */

import { UsageError } from "../errors.ts";
import { nearest, quote } from "../util/text.ts";
import { type CommandSpec, readFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { helpText, table } from "./usage.ts";

export const spec: CommandSpec = {
  name: "help",
  summary: "Lists the commands, or shows the help of one.",
  positional: ["[COMMAND]"],
  flags: {},
  examples: ["help", "help client"],
};

/** @param specs The declarations of all commands, by name. */
export function run(args: readonly string[], io: Io, specs: ReadonlyMap<string, CommandSpec>): number {
  const [name] = readFlags(args, spec).positional;
  if (name !== undefined) {
    const found = specs.get(name);
    if (!found) throw new UsageError(unknownCommand(name, [...specs.keys()]));
    io.out(helpText(found));
    return 0;
  }
  io.out("Switchyard routes each TCP connection to a server by the ID that the client\nsends first.\n");
  for (const line of table([...specs.values()].map(({ name, summary }) => [`  ${name}`, summary]))) {
    io.out(line);
  }
  io.out("\nswitchyard COMMAND --help shows the flags of a command. The default is serve.");
  return 0;
}

/** The message for a command that does not exist. */
export function unknownCommand(name: string, commands: readonly string[]): string {
  const near = nearest(name, commands);
  return `unknown command ${quote(name)}; ${near ? `did you mean ${near}?` : "see switchyard help"}`;
}
