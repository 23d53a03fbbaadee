/** Values of the hash in Redis. */

import type { HostPort } from "../../config/config.ts";
import { parseUpstream } from "../../config/values.ts";
import { quote } from "../../util/text.ts";
import type { Route } from "../table.ts";

/** Where the connections of an ID go. */
export type RedisTarget = HostPort & { readonly pool?: undefined } | { readonly pool: string };

/** The form of a value, for messages. */
export const VALUE_EXPECTED = "host:port, such as n1.example.com:7777, or the name of a pool";

/** Longest value: the longest host name, its port and the colon. A pool's name is shorter. */
const MAX_LENGTH = 260;

/** As in the configuration. */
const POOL_NAME = /^[\w.-]{1,64}$/;

/** The target that a value stands for; undefined where it is neither `host:port` nor may be the name of a pool. */
export function parseTarget(value: string): RedisTarget | undefined {
  if (value.length > MAX_LENGTH) return undefined;
  return POOL_NAME.test(value) ? { pool: value } : parseUpstream(value);
}

/** The route that `target` is for an ID. */
export function redisRoute(id: string, target: RedisTarget): Route {
  return { rule: { kind: "redis", text: id }, target, hold: undefined, onRemoval: "keep" };
}

/** What is wrong with a target that is a pool, where there is no such pool. */
export function poolProblem(
  { pool }: { readonly pool?: string | undefined },
  pools: { has(name: string): boolean },
): string | undefined {
  if (pool === undefined || pools.has(pool)) return undefined;
  return `found ${quote(pool)}, which is no pool of this configuration, and no host:port`;
}
