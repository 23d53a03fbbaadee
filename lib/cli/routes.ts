/** `switchyard routes`: the effective table. */

import type { Config } from "../config/config.ts";
import { UsageError } from "../errors.ts";
import { listRedis } from "../route/redis/inspect.ts";
import { type Route, RouteTable, ruleText } from "../route/table.ts";
import { plain, quote, targetText } from "../util/text.ts";
import { type CommandSpec, readFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { poolServers } from "./pools.ts";
import { FILE_ARGUMENT, FILE_FLAG, readSettings } from "./settings.ts";

export const spec: CommandSpec = {
  name: "routes",
  summary: "Prints the effective table, in the order in which rules are tried.",
  positional: [FILE_ARGUMENT],
  flags: {
    ...FILE_FLAG,
    redis: { help: "all IDs in Redis instead, in no particular order" },
    json: { help: "as JSON, one object per line" },
  },
  examples: ["routes", "routes --json -c routes.yaml", "routes --redis"],
};

/**
 * Exit status 0; 1 if Redis has invalid values.
 *
 * @throws {UsageError} if the configuration is wrong
 * @throws {Error} if Redis is unavailable
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const flags = readFlags(args, spec);
  const { file, config } = await readSettings(flags, { argument: flags.positional[0] });
  if (flags.has("redis")) return await printRedis(file, config, flags.has("json"), io);
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

async function printRedis(
  file: string,
  { redis, pools }: Config,
  asJson: boolean,
  { out, err }: Io,
): Promise<number> {
  if (!redis) {
    throw new UsageError([{ file, path: "redis", message: "missing, needed for --redis" }]);
  }
  let status = 0;
  for await (const { id, route, problem } of listRedis(redis, pools)) {
    if (problem !== undefined) {
      err(`redis: ${redis.key}: ID ${quote(id)}: ${problem}`);
      status = 1;
    }
    if (!route) continue;
    out(asJson ? JSON.stringify(ruleObject(route)) : `${plain(id)}\t${targetText(route.target)}`);
  }
  return status;
}

function ruleObject({ rule, target, onRemoval }: Route) {
  return {
    rule: ruleText(rule),
    ...((rule.kind === "table" || rule.kind === "redis") && { id: rule.text }),
    target: targetText(target),
    on_removal: onRemoval,
  };
}
