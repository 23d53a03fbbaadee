/** `switchyard schema`: the JSON Schema of routes.yaml. */

import { configJsonSchema } from "../config/json_schema.ts";
import { type CommandSpec, readFlags } from "./flags.ts";
import type { Io } from "./io.ts";

export const spec: CommandSpec = {
  name: "schema",
  summary: "Prints the JSON Schema of routes.yaml, with which editors complete and check it.",
  flags: {},
  examples: ["schema"],
};

/** Always exit status 0. */
export function run(args: readonly string[], io: Io): number {
  readFlags(args, spec);
  io.out(JSON.stringify(configJsonSchema(), null, 2));
  return 0;
}
