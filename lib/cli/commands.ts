/** Every subcommand by name. */

import { configJsonSchema } from "../config/json_schema.ts";
import { UsageError } from "../errors.ts";
import { quote } from "../util/text.ts";
import * as bench from "./bench.ts";
import * as client from "./client.ts";
import { completionScript, SHELLS } from "./completions.ts";
import * as demo from "./demo.ts";
import * as health from "./health.ts";
import { type CommandSpec, readFlags } from "./flags.ts";
import { checkSpec, explainSpec, routesSpec, runCheck, runExplain, runRoutes } from "./inspect.ts";
import type { Command } from "./io.ts";
import * as serve from "./serve.ts";
import * as upstream from "./upstream.ts";
import * as version from "./version.ts";

const schemaSpec: CommandSpec = {
  name: "schema",
  summary: "Prints the JSON Schema of routes.yaml.",
  flags: {},
};
const helpSpec: CommandSpec = { name: "help", summary: "Lists the commands.", flags: {} };

const runSchema: Command = (args, io) => {
  readFlags(args, schemaSpec);
  io.out(JSON.stringify(configJsonSchema(), null, 2));
  return 0;
};

const completionsSpec: CommandSpec = {
  name: "completions",
  summary: `Prints the script that completes commands and flags in a shell: ${SHELLS.join(", ")}.`,
  positional: ["SHELL"],
  flags: {},
};

const runCompletions: Command = (args, io) => {
  const [name] = readFlags(args, completionsSpec).positional;
  const shell = SHELLS.find((known) => known === name);
  if (!shell) throw new UsageError(`completions: ${quote(name)} is not one of ${SHELLS.join(", ")}`);
  io.out(completionScript(shell, Object.values(COMMANDS).map(({ spec }) => spec)));
  return 0;
};

const runHelp: Command = (args, io) => {
  readFlags(args, helpSpec);
  io.out("Switchyard sends each TCP connection to the server that its client's ID names.\n");
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  for (const { spec } of Object.values(COMMANDS)) {
    io.out(`  switchyard ${spec.name.padEnd(width)}  ${spec.summary}`);
  }
  io.out("\nswitchyard COMMAND --help lists the flags of one; without a command it is serve.");
  return 0;
};

/** What `switchyard NAME` runs. */
export const COMMANDS: Readonly<Record<string, { readonly spec: CommandSpec; readonly run: Command }>> =
  Object
    .assign(
      Object.create(null),
      {
        serve,
        check: { spec: checkSpec, run: runCheck },
        explain: { spec: explainSpec, run: runExplain },
        routes: { spec: routesSpec, run: runRoutes },
        client,
        health,
        upstream,
        demo,
        bench,
        schema: { spec: schemaSpec, run: runSchema },
        completions: { spec: completionsSpec, run: runCompletions },
        version,
        help: { spec: helpSpec, run: runHelp },
      },
    );
