/** `switchyard routes`: the effective table. */

import { RouteTable, ruleText } from "../route/table.ts";
import { targetText } from "../util/text.ts";
import { type CommandSpec, readFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { poolServers } from "./pools.ts";
import { FILE_ARGUMENT, FILE_FLAG, readSettings } from "./settings.ts";

export const spec: CommandSpec = {
  name: "routes",
  summary: "Prints the effective table, in the order in which rules are tried.",
  positional: [FILE_ARGUMENT],
  flags: { ...FILE_FLAG, json: { help: "as JSON, one object a line" } },
  examples: ["routes", "routes --json -c routes.yaml"],
};

/** Exit status 0. @throws {UsageError} where the configuration is wrong */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const flags = readFlags(args, spec);
  const { config } = await readSettings(flags, { argument: flags.positional[0] });
  const rules = [...new RouteTable(config.routes, config.default).rules()]
    .map(({ rule, target, onRemoval }) => ({
      rule: ruleText(rule),
      target: targetText(target),
      on_removal: onRemoval,
    }));
  if (flags.has("json")) {
    for (const rule of rules) io.out(JSON.stringify(rule));
    return 0;
  }
  const width = rules.reduce((widest, { rule }) => Math.max(widest, rule.length), 0);
  for (const { rule, target } of rules) io.out(`${rule.padEnd(width)}  ${target}`);
  for (const line of poolServers(config)) io.out(line);
  return 0;
}
