/** Rules about pools, and about the routes to them. */

import { nearest, quote } from "../util/text.ts";
import { describe, type Problem } from "./check.ts";
import { FirstUses, idText, mappings } from "./first_uses.ts";
import { HOST_EXPECTED, PORT_EXPECTED } from "./values.ts";
import { fieldPath, isMapping, type Mapping, type YamlValue } from "./yaml.ts";

/** The names of pools, which appear in log lines, metric labels and messages. */
const POOL_NAME = /^[\w.-]{1,64}$/;

/** Every broken rule about the target of a route or of the default. */
export function* checkTarget(
  target: Mapping,
  path: string,
  pools: YamlValue | undefined,
): Generator<Problem> {
  if (Object.hasOwn(target, "pool")) return yield* checkPoolTarget(target, path, pools);
  yield* checkKeyPair(target["tls"], `${path}.tls`);
  if (!Object.hasOwn(target, "host")) {
    yield { path: `${path}.host`, message: `missing, expected ${HOST_EXPECTED}` };
  }
  if (!Object.hasOwn(target, "port")) {
    yield { path: `${path}.port`, message: `missing, expected ${PORT_EXPECTED}` };
  }
}

function* checkPoolTarget(target: Mapping, path: string, pools: YamlValue | undefined): Generator<Problem> {
  for (const field of ["host", "port", "tls"]) {
    if (!Object.hasOwn(target, field)) continue;
    yield {
      path: `${path}.${field}`,
      message: `found beside pool, expected one of them; the servers of a pool have a ${field} of their own`,
    };
  }
  const name = idText(target["pool"]);
  const names = isMapping(pools) ? Object.keys(pools) : [];
  if (name === undefined || names.includes(name)) return;
  const near = nearest(name, names);
  const hint = near === undefined ? "" : `; did you mean ${quote(near)}?`;
  const expected = names.length === 0 ? "a pool: there are none under pools" : "the name of a pool";
  yield { path: `${path}.pool`, message: `found ${describe(target["pool"])}, expected ${expected}${hint}` };
}

/** Every broken rule within pools. */
export function* checkPools(pools: Mapping): Generator<Problem> {
  for (const [name, pool] of Object.entries(pools)) {
    const path = fieldPath("pools", name);
    if (!POOL_NAME.test(name)) {
      yield { path, message: "expected a name of 1 to 64 letters, digits, dots, hyphens and underscores" };
    }
    if (!isMapping(pool)) continue;
    yield* checkServers(pool["servers"], path);
    yield* checkExchange(pool["health_check"], path);
  }
}

function* checkServers(servers: YamlValue | undefined, path: string): Generator<Problem> {
  const uses = new FirstUses("a server of its own");
  for (const [at, { host, port, tls }] of mappings(`${path}.servers`, servers)) {
    yield* checkKeyPair(tls, `${at}.tls`);
    if (typeof host !== "string" || typeof port !== "number") continue;
    const address = `${host.toLowerCase()}:${port}`;
    yield* uses.check(address, address, at);
  }
}

function* checkExchange(check: YamlValue | undefined, path: string): Generator<Problem> {
  if (!isMapping(check) || !Object.hasOwn(check, "send") || !Object.hasOwn(check, "id")) return;
  yield { path: `${path}.health_check`, message: "found both send and id, expected one of them" };
}

/** Whether `tls` has both a certificate and its key, or neither. */
export function* checkKeyPair(tls: YamlValue | undefined, path: string): Generator<Problem> {
  if (!isMapping(tls) || Object.hasOwn(tls, "cert") === Object.hasOwn(tls, "key")) return;
  yield { path, message: "found only one of cert and key, expected both or neither" };
}
