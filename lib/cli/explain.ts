/** `switchyard explain`: the rule that an ID matches, and why the others do not apply. */

import { AccessList } from "../admission/access_list.ts";
import type { Config, HostPort } from "../config/config.ts";
import { idExpected, parseCidr } from "../config/values.ts";
import { UsageError } from "../errors.ts";
import {
  type AccessVerdict,
  explainRoute,
  type Explanation,
  redisVerdict,
  verdictOf,
} from "../route/explain.ts";
import { askRedis } from "../route/redis/inspect.ts";
import { type RedisAnswer, RouteTable, ruleText, type Step } from "../route/table.ts";
import { quote, targetText } from "../util/text.ts";
import { adminAddress } from "./admin_client.ts";
import { explainRunning } from "./explain_running.ts";
import { explanationPainter } from "./colors.ts";
import { type CommandSpec, readFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { explainPool } from "./pools.ts";
import { FILE_FLAG, readSettings } from "./settings.ts";

export const spec: CommandSpec = {
  name: "explain",
  summary: "Explains which rule an ID matches, which upstream it gets, and why not the others.",
  positional: ["ID"],
  flags: {
    ...FILE_FLAG,
    from: { value: "IP", help: "also explain whether allow and deny admit this address" },
    admin: { value: "URL", help: "query the balancer with this admin listener, HOST:PORT" },
    json: { help: "as JSON" },
  },
  examples: ["explain 2", "explain eu-7 --from 192.0.2.7", "explain 2 --admin 127.0.0.1:9090"],
};

/** Exit status 1 if the client would be refused. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const flags = readFlags(args, spec);
  const [id = ""] = flags.positional;
  const from = flags.value("from");
  const admin = flags.value("admin");
  if (admin !== undefined) {
    if (flags.value("config") !== undefined) {
      throw new UsageError("explain: --admin and -c cannot be given together");
    }
    return await explainRunning(readAdmin(admin), { id, from, json: flags.has("json") }, io);
  }
  const { file, config } = await readSettings(flags);
  const table = new RouteTable(config.routes, config.default, config.tableData);
  const invalid = idExpected(id, config.limits.id_bytes);
  const { redis, pools } = config;
  const explanation = explainRoute(table, id, {
    invalid,
    redis: redis && invalid === undefined && !table.findExact(id)
      ? await askRedis(redis, pools, id)
      : undefined,
    access: from === undefined ? undefined : verdict(from, config),
    isDrained: (pool) => pools[pool]?.servers.every(({ weight }) => weight === 0) ?? false,
  });
  const lines = flags.has("json") ? [json(explanation, from)] : text(explanation, file, from);
  const paint = explanationPainter(io, explanation.rejection !== undefined);
  for (const line of lines) io.out(paint(line));
  const pool = explanation.route?.target.pool;
  const settings = pool === undefined ? undefined : config.pools[pool];
  if (pool !== undefined && settings && !flags.has("json")) {
    for (const line of explainPool(pool, settings, id)) io.out(paint(`  ${line}`));
  }
  return explanation.rejection ? 1 : 0;
}

function readAdmin(text: string): HostPort {
  const problems: string[] = [];
  const at = adminAddress(text, problems);
  if (problems.length > 0) throw new UsageError(problems);
  return at;
}

function verdict(from: string, { allow, deny }: Config): AccessVerdict {
  if (parseCidr(from) === undefined || from.includes("/")) {
    throw new UsageError(`--from: ${quote(from)} is not an IP address, such as 192.0.2.7 or 2001:db8::7`);
  }
  return new AccessList({ allow, deny }).verdict(from);
}

function json(explanation: Explanation, from: string | undefined): string {
  const { id, route, rejection, access, redis, steps, exact } = explanation;
  return JSON.stringify({
    id,
    ...(route && { rule: ruleText(route.rule), target: targetText(route.target) }),
    ...(rejection && { rejection }),
    ...(access && { access: { from, ...access } }),
    ...(redis && { redis: { hash: redis.where, answer: redisVerdict(redis) ?? "matches" } }),
    rules: steps.map(({ route: { rule, target }, matches, selected }) => ({
      rule: ruleText(rule),
      target: targetText(target),
      matches,
      selected,
    })),
    ...(exact?.nearest !== undefined && { nearest_id: exact.nearest }),
  });
}

function* text(explanation: Explanation, file: string, from: string | undefined): Generator<string> {
  const { id, route, rejection, access, redis, steps, exact } = explanation;
  if (access) {
    const decision = access.allowed ? "admitted" : "refused with FORBIDDEN (8)";
    yield `from ${from}: ${decision}: ${access.because}`;
  }
  if (route) yield `ID ${quote(id)}: ${ruleText(route.rule)} -> ${targetText(route.target)}`;
  else if (redis?.problem !== undefined) {
    yield `ID ${
      quote(id)
    }: the client gets UPSTREAM_UNAVAILABLE (5), unless a balancer has the ID in its cache`;
  } else if (steps.length > 0 || exact) {
    yield `ID ${quote(id)}: no route matches and ${file} has no default: the client gets UNKNOWN_ID (4)`;
  } else if (rejection?.name === "BAD_FRAME") {
    yield `ID ${quote(id)}: the client gets BAD_FRAME (1): ${rejection.because}`;
  }
  if (exact) yield `  ${noExactRule(id, exact)}`;
  const ofRedis = redis && redisVerdict(redis);
  if (redis && ofRedis !== undefined) yield `  redis: ${redis.where}: ${ofRedis}`;
  for (const step of steps) yield `  ${stepText(step, redis)}`;
}

function stepText(step: Step, redis: RedisAnswer | undefined): string {
  const { rule, target } = step.route;
  return `${ruleText(rule)} -> ${targetText(target)}: ${verdictOf(step, redis)}`;
}

function noExactRule(id: string, { count, nearest }: { count: number; nearest?: string }): string {
  if (count === 0) return "id: no route has an ID";
  const hint = nearest === undefined ? "" : `; the nearest is ${quote(nearest)}`;
  return `id: none of the ${count} routes with an ID has ${quote(id)}${hint}`;
}
