/** `switchyard check`, `routes` and `explain`: what a configuration would do. */

import type { Config } from "../config/config.ts";
import { idExpected, parseCidr } from "../config/values.ts";
import { UsageError } from "../errors.ts";
import { AccessList } from "../admission/access_list.ts";
import { RouteTable, ruleText } from "../route/table.ts";
import { hostPortText, nearest, quote, targetText } from "../util/text.ts";
import { type CommandSpec, readFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { explainPool, poolServers, poolSummaries } from "./pools.ts";
import { FILE_FLAG, readServeSettings, readSettings } from "./settings.ts";

export const checkSpec: CommandSpec = {
  name: "check",
  summary: "Reports every error of a configuration, or what it would run.",
  flags: FILE_FLAG,
};

export const routesSpec: CommandSpec = {
  name: "routes",
  summary: "Prints the effective table, in the order in which rules are tried.",
  flags: FILE_FLAG,
};

export const explainSpec: CommandSpec = {
  name: "explain",
  summary: "Says which rule an ID matches, which upstream it gets, and why not the others.",
  positional: ["ID"],
  flags: {
    ...FILE_FLAG,
    from: { value: "IP", help: "say too whether allow and deny let this address in" },
  },
};

/** `check` */
export async function runCheck(args: readonly string[], io: Io): Promise<number> {
  const { file, config } = await readServeSettings(readFlags(args, checkSpec));
  const exact = config.routes.filter(({ id }) => id !== undefined).length;
  io.out(`${file}: ok`);
  io.out(`listeners: ${config.listeners.map(({ address }) => hostPortText(address)).join(", ")}`);
  io.out(`routes: ${exact} by ID, ${config.routes.length - exact} by glob, ${fallbackText(config)}`);
  for (const line of poolSummaries(config)) io.out(line);
  io.out(`ID frame: at most ${config.limits.id_bytes} bytes within ${config.timeouts.id} ms`);
  return 0;
}

/** `routes` */
export async function runRoutes(args: readonly string[], io: Io): Promise<number> {
  const { config } = await readSettings(readFlags(args, routesSpec));
  const rules = [...new RouteTable(config.routes, config.default).rules()];
  const width = Math.max(0, ...rules.map(({ rule }) => ruleText(rule).length));
  for (const { rule, target } of rules) io.out(`${ruleText(rule).padEnd(width)}  ${targetText(target)}`);
  for (const line of poolServers(config)) io.out(line);
  return 0;
}

/** `explain`; exit status 1 where the ID has no route, or the ID or the address is turned away. */
export async function runExplain(args: readonly string[], io: Io): Promise<number> {
  const given = readFlags(args, explainSpec);
  const { file, config } = await readSettings(given);
  const [id = ""] = given.positional;
  const from = given.value("from");
  const admitted = from === undefined || admits(from, config, io);
  const wrong = idExpected(id, config.limits.id_bytes);
  if (wrong !== undefined) {
    io.out(`ID ${quote(id)}: the client gets BAD_FRAME (1): wanted ${wrong}`);
    return 1;
  }
  const table = new RouteTable(config.routes, config.default);
  const found = table.find(id);
  io.out(
    found ? `ID ${quote(id)}: ${ruleText(found.rule)} -> ${targetText(found.target)}` : noRoute(id, file),
  );
  for (const line of steps(id, table)) io.out(`  ${line}`);
  const pool = found?.target.pool;
  const settings = pool === undefined ? undefined : config.pools[pool];
  if (pool !== undefined && settings) {
    for (const line of explainPool(pool, settings, id)) io.out(`  ${line}`);
  }
  return found && admitted ? 0 : 1;
}

function* steps(id: string, table: RouteTable): Generator<string> {
  if (table.routeOf({ kind: "id", text: id }) === undefined) yield noExactRule(id, [...table.ids()]);
  for (const { route: { rule, target }, matches, selected } of table.trace(id)) {
    const verdict = selected ? "taken" : matches ? "fits too, but a rule before it is taken" : "does not fit";
    yield `${ruleText(rule)} -> ${targetText(target)}: ${verdict}`;
  }
}

function noExactRule(id: string, ids: readonly string[]): string {
  if (ids.length === 0) return "id: no rule names an ID";
  const near = nearest(id, ids);
  const hint = near === undefined ? "" : `; the nearest is ${quote(near)}`;
  return `id: ${quote(id)} is not among the IDs named (${ids.length})${hint}`;
}

function admits(from: string, config: Config, io: Io): boolean {
  if (parseCidr(from) === undefined || from.includes("/")) {
    throw new UsageError(`--from: ${quote(from)} is not an IP address, such as 192.0.2.7 or 2001:db8::7`);
  }
  const { allowed, because } = new AccessList({ allow: config.allow, deny: config.deny }).verdict(from);
  io.out(`from ${from}: ${allowed ? "let in" : "turned away with FORBIDDEN (8)"}: ${because}`);
  return allowed;
}

function noRoute(id: string, file: string): string {
  return `ID ${quote(id)}: no route matches and ${file} has no default: the client gets UNKNOWN_ID (4)`;
}

function fallbackText({ default: fallback }: Config): string {
  return fallback ? `others to ${targetText(fallback)}` : "no default: other IDs get UNKNOWN_ID";
}
