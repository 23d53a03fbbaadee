/** Values of the hash in Redis. */

import type { HostPort } from "../../config/config.ts";
import { parseUpstream } from "../../config/values.ts";

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
