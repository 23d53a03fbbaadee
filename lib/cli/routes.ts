/** `switchyard routes`: the effective table. */

import { type Route, RouteTable, ruleText } from "../route/table.ts";
import { plain, targetText } from "../util/text.ts";
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
  const table = new RouteTable(config.routes, config.default, config.tableData);
  if (flags.has("json")) {
    for (const route of table.rules()) io.out(JSON.stringify(ruleObject(route)));
    return 0;
  }
  let width = 0;
  for (const { rule } of table.listed()) width = Math.max(width, ruleText(rule).length);
  // the lines of a table have columns of their own: there may be a million of them
  for (const { rule, target } of table.rules()) {
    if (rule.kind === "table") io.out(`${ruleText(rule)}\t${plain(rule.text)}\t${targetText(target)}`);
    else io.out(`${ruleText(rule).padEnd(width)}  ${targetText(target)}`);
  }
  for (const line of poolServers(config)) io.out(line);
  return 0;
}

function ruleObject({ rule, target, onRemoval }: Route) {
  return {
    rule: ruleText(rule),
    ...(rule.kind === "table" && { id: rule.text }),
    target: targetText(target),
    on_removal: onRemoval,
  };
}
