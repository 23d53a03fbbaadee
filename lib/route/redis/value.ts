/** Values of the hash in Redis. */

import type { HostPort } from "../../config/config.ts";
import { parseUpstream } from "../../config/values.ts";
import { quote } from "../../util/text.ts";
import type { Route } from "../table.ts";

/** Where an ID is routed to. */
export type RedisTarget = HostPort & { readonly pool?: undefined } | { readonly pool: string };

/** The expected form of a value, for messages. */
export const VALUE_EXPECTED = "host:port, such as n1.example.com:7777, or the name of a pool";

/** Maximum length of a value: the longest host name, a colon and a port. A pool's name is shorter. */
const MAX_LENGTH = 260;

/** As in the configuration. */
const POOL_NAME = /^[\w.-]{1,64}$/;

/** Parses a value; undefined if it is neither `host:port` nor a possible name of a pool. */
export function parseTarget(value: string): RedisTarget | undefined {
  if (value.length > MAX_LENGTH) return undefined;
  return POOL_NAME.test(value) ? { pool: value } : parseUpstream(value);
}

/** The route of an ID to `target`. */
export function redisRoute(id: string, target: RedisTarget): Route {
  return { rule: { kind: "redis", text: id }, target, hold: undefined, onRemoval: "keep" };
}

/** The problem with a target whose pool does not exist. */
export function poolProblem(
  { pool }: { readonly pool?: string | undefined },
  pools: { has(name: string): boolean },
): string | undefined {
  if (pool === undefined || pools.has(pool)) return undefined;
  return `found ${quote(pool)}, which is neither a pool of this configuration nor host:port`;
}
