/** Rules about several fields of a configuration at once. */

import { describe, type Problem } from "./check.ts";
import { FirstUses, idText, mappings } from "./first_uses.ts";
import { checkPools, checkTarget } from "./pool_rules.ts";
import { checkRedis } from "./redis_rules.ts";
import { isMapping, type Mapping, type YamlValue } from "./yaml.ts";
import { DEFAULTS, idExpected, isLoopback, isPrintable, parseAddress, parseDuration } from "./values.ts";

/** Every broken rule. Invalid fields are skipped: `check` reports those. */
export function* checkRules(value: YamlValue): Generator<Problem> {
  if (!isMapping(value)) return;
  yield* checkTimeouts(value["timeouts"]);
  yield* checkAdmin(value["admin"]);
  const listeners = mappings("listeners", value["listeners"]);
  yield* checkListeners(listeners);
  for (const [path, { tls }] of listeners) yield* checkClientCa(tls, `${path}.tls`);
  const routes = mappings("routes", value["routes"]);
  for (const [path, route] of routes) yield* checkRoute(route, path);
  const { pools, default: fallback } = value;
  for (const [path, route] of routes) yield* checkTarget(route, path, pools);
  if (isMapping(fallback)) yield* checkTarget(fallback, "default", pools);
  if (isMapping(pools)) yield* checkPools(pools);
  yield* checkRedis(value["redis"]);
  yield* checkIds(routes, idBytesOf(value));
  yield* checkGlobs(routes);
  yield* checkTables(value["tables"]);
}

function* checkTimeouts(timeouts: YamlValue | undefined): Generator<Problem> {
  if (!isMapping(timeouts)) return;
  const { drain = DEFAULTS.drain, drain_spread = DEFAULTS.drainSpread } = timeouts;
  const [whole, last] = [drain, drain_spread].map((value) => parseDuration(String(value)));
  if (whole === undefined || last === undefined || last <= whole) return;
  yield {
    path: "timeouts.drain_spread",
    message: `found ${describe(drain_spread)}, expected at most timeouts.drain, ${describe(drain)}`,
  };
}

function* checkListeners(listeners: ReadonlyMap<string, Mapping>): Generator<Problem> {
  const uses = new FirstUses("an address of its own");
  for (const [path, { address }] of listeners) {
    const parsed = typeof address === "string" ? parseAddress(address, 0) : undefined;
    if (parsed === undefined || parsed.port === 0) continue;
    yield* uses.check(`${parsed.host} ${parsed.port}`, address, `${path}.address`);
  }
}

/** Without a token everybody who can reach the address could close every connection. */
function* checkAdmin(admin: YamlValue | undefined): Generator<Problem> {
  if (!isMapping(admin) || Object.hasOwn(admin, "token_file")) return;
  const { address } = admin;
  const parsed = typeof address === "string" ? parseAddress(address, 0) : undefined;
  if (parsed === undefined || isLoopback(parsed.host)) return;
  yield { path: "admin.token_file", message: `missing, required since ${address} is not a loopback address` };
}

/** Alone, `client_cert` would have no effect, and clients without a certificate would be accepted. */
function* checkClientCa(tls: YamlValue | undefined, path: string): Generator<Problem> {
  if (!isMapping(tls) || !Object.hasOwn(tls, "client_cert") || Object.hasOwn(tls, "client_ca")) return;
  yield { path: `${path}.client_cert`, message: "found without client_ca, expected both" };
}

function* checkRoute(route: Mapping, path: string): Generator<Problem> {
  const hasId = Object.hasOwn(route, "id");
  const hasMatch = Object.hasOwn(route, "match");
  if (hasId && hasMatch) yield { path, message: "found both id and match, expected one of them" };
  if (!hasId && !hasMatch) yield { path, message: "found neither id nor match, expected one of them" };
}

function* checkIds(routes: ReadonlyMap<string, Mapping>, idBytes: number): Generator<Problem> {
  const uses = new FirstUses("an ID of its own");
  for (const [path, { id }] of routes) {
    const text = idText(id);
    if (text === undefined) continue;
    const expected = idExpected(text, idBytes);
    if (expected !== undefined) {
      yield { path: `${path}.id`, message: `found ${describe(id)}, expected ${expected}` };
    } else yield* uses.check(text, id, `${path}.id`);
  }
}

function* checkGlobs(routes: ReadonlyMap<string, Mapping>): Generator<Problem> {
  const uses = new FirstUses("a glob of its own");
  for (const [path, { match }] of routes) {
    const text = idText(match);
    if (text === undefined) continue;
    if (text === "" || !isPrintable(text)) {
      yield {
        path: `${path}.match`,
        message: `found ${describe(match)}, expected a glob of printable text, such as eu-*`,
      };
    } else yield* uses.check(text, match, `${path}.match`);
  }
}

/** A file that is named twice would repeat each of its IDs. */
function* checkTables(tables: YamlValue | undefined): Generator<Problem> {
  const uses = new FirstUses("a file of its own");
  for (const [index, name] of (Array.isArray(tables) ? tables : []).entries()) {
    if (typeof name === "string") yield* uses.check(name, name, `tables[${index}]`);
  }
}

function idBytesOf({ limits }: Mapping): number {
  const idBytes = isMapping(limits) ? limits["id_bytes"] : undefined;
  return typeof idBytes === "number" && idBytes > 0 ? idBytes : DEFAULTS.idBytes;
}
