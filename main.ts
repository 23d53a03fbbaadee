/** The `switchyard` command: finds the subcommand, runs it, turns what it throws into lines and an exit status. */

import { messageOf, UsageError } from "./lib/errors.ts";
import { COMMANDS } from "./lib/cli/commands.ts";
import { type Io, processIo } from "./lib/cli/io.ts";
import { helpText } from "./lib/cli/flags.ts";
import { nearest, plain, quote } from "./lib/util/text.ts";

/** Runs the command line `args`. Exit status: 0 done, 1 failed while running, 2 the words or the configuration are wrong. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  try {
    const { name, rest } = subcommand(args);
    const command = COMMANDS[name];
    if (!command) throw new UsageError(unknownCommand(name));
    if (!rest.includes("--help") && !rest.includes("-h")) return await command.run(rest, io);
    io.out(helpText(command.spec));
    return 0;
  } catch (error) {
    // whoever reads the output, such as head, has seen enough
    if (error instanceof Deno.errors.BrokenPipe) return 1;
    if (error instanceof UsageError) {
      error.problems.forEach((problem) => io.err(`switchyard: ${plain(problem)}`));
    } else {io.err(
        `switchyard: ${debugging(args) && error instanceof Error ? error.stack : plain(messageOf(error))}`,
      );}
    return error instanceof UsageError ? 2 : 1;
  }
}

function subcommand(args: readonly string[]): { name: string; rest: readonly string[] } {
  const [first, ...rest] = args;
  if (first === "--help" || first === "-h") return { name: "help", rest };
  if (first === "--version") return { name: "version", rest };
  return first === undefined || first.startsWith("-") ? { name: "serve", rest: args } : { name: first, rest };
}

function unknownCommand(name: string): string {
  const near = nearest(name, Object.keys(COMMANDS));
  return `unknown command ${quote(name)}; ${near ? `did you mean ${near}?` : "see switchyard help"}`;
}

function debugging(args: readonly string[]): boolean {
  return args.includes("--log-level=debug") || args[args.indexOf("--log-level") + 1] === "debug";
}

if (import.meta.main) Deno.exit(await main(Deno.args, processIo()));
