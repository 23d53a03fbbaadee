/** The `switchyard` command: runs a subcommand, and turns errors into lines and an exit status. */

import { messageOf, UsageError } from "./lib/errors.ts";
import { COMMANDS } from "./lib/cli/commands.ts";
import { painter } from "./lib/cli/colors.ts";
import { type Io, processIo } from "./lib/cli/io.ts";
import { unknownCommand } from "./lib/cli/help.ts";
import { helpText } from "./lib/cli/usage.ts";
import { plain } from "./lib/util/text.ts";

/** Runs the command line `args`. Exit status: 0 done, 1 failed while running, 2 wrong command line or configuration. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  try {
    const { name, rest } = subcommand(args);
    const command = COMMANDS.get(name);
    if (!command) throw new UsageError(unknownCommand(name, [...COMMANDS.keys()]));
    if (!rest.includes("--help") && !rest.includes("-h")) return await command.run(rest, io);
    io.out(helpText(command.spec));
    return 0;
  } catch (error) {
    // the reader of the output, such as head, has closed the pipe
    if (error instanceof Deno.errors.BrokenPipe) return 1;
    const prefix = painter(io, "err")("bad", "switchyard:");
    for (const problem of problemsOf(error, args)) io.err(`${prefix} ${problem}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function problemsOf(error: unknown, args: readonly string[]): readonly string[] {
  if (error instanceof UsageError) return error.problems.map(plain);
  const stack = debugging(args) && error instanceof Error ? error.stack : undefined;
  return [stack ?? plain(messageOf(error))];
}

function subcommand(args: readonly string[]): { name: string; rest: readonly string[] } {
  const [first, ...rest] = args;
  if (first === "--help" || first === "-h") return { name: "help", rest };
  if (first === "--version" || first === "-V" || first === "-v") return { name: "version", rest };
  return first === undefined || first.startsWith("-") ? { name: "serve", rest: args } : { name: first, rest };
}

function debugging(args: readonly string[]): boolean {
  return args.includes("--log-level=debug") || args[args.indexOf("--log-level") + 1] === "debug";
}

if (import.meta.main) Deno.exit(await main(Deno.args, processIo()));
