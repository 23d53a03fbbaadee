/** Every subcommand by name. */

import * as bench from "./bench.ts";
import * as check from "./check.ts";
import * as client from "./client.ts";
import * as completions from "./completions.ts";
import * as demo from "./demo.ts";
import * as explain from "./explain.ts";
import type { CommandSpec } from "./flags.ts";
import * as health from "./health.ts";
import * as help from "./help.ts";
import type { Command } from "./io.ts";
import * as routes from "./routes.ts";
import * as schema from "./schema.ts";
import * as serve from "./serve.ts";
import * as top from "./top.ts";
import * as upstream from "./upstream.ts";
import * as version from "./version.ts";

/** A command and its declaration. */
export interface Subcommand {
  readonly spec: CommandSpec;
  readonly run: Command;
}

/** These two describe all commands. */
const ABOUT_COMMANDS: readonly Subcommand[] = [
  { spec: completions.spec, run: (args, io) => completions.run(args, io, [...SPECS.values()]) },
  { spec: help.spec, run: (args, io) => help.run(args, io, SPECS) },
];

/** Every command by its name, in the order of `switchyard help`. */
export const COMMANDS: ReadonlyMap<string, Subcommand> = new Map(
  [
    serve,
    check,
    explain,
    routes,
    client,
    upstream,
    demo,
    bench,
    top,
    health,
    schema,
    version,
    ...ABOUT_COMMANDS,
  ]
    .map((command) => [command.spec.name, command]),
);

const SPECS: ReadonlyMap<string, CommandSpec> = new Map(
  [...COMMANDS].map(([name, { spec }]) => [name, spec]),
);
