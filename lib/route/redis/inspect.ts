/** Reads the hash once, for commands that run beside a balancer. */

import type { Config, RedisConfig } from "../../config/config.ts";
import { messageOf } from "../../errors.ts";
import { quote } from "../../util/text.ts";
import type { RedisAnswer, Route } from "../table.ts";
import { Connector, readFields, scanFields } from "./connector.ts";
import { parseTarget, poolProblem, redisRoute, VALUE_EXPECTED } from "./value.ts";

/** A field of the hash: its route, or why its value is invalid. */
export interface RedisEntry {
  readonly id: string;
  readonly route?: Route;
  readonly problem?: string;
}

/** Where the hash is, for messages. */
export function redisText(config: RedisConfig): string {
  return `hash ${config.key} at ${new Connector(config).locator.text}`;
}

/** Looks `id` up in the hash. If the server cannot be reached, the answer has a `problem`. */
export async function askRedis(redis: RedisConfig, pools: Config["pools"], id: string): Promise<RedisAnswer> {
  const connector = new Connector(redis);
  const where = redisText(redis);
  try {
    using link = await connector.connect();
    const [value] = await readFields(link, redis.key, [id]);
    return typeof value === "string" ? { where, ...entryOf(id, value, pools) } : { where };
  } catch (error) {
    return { where, problem: messageOf(error) };
  }
}

/** Every field of the hash. @throws {RedisError | ReadError} */
export async function* listRedis(redis: RedisConfig, pools: Config["pools"]): AsyncGenerator<RedisEntry> {
  using link = await new Connector(redis).connect();
  for await (const fields of scanFields(link, redis.key)) {
    for (const [id, value] of fields) yield entryOf(id, value, pools);
  }
}

function entryOf(id: string, value: string, pools: Config["pools"]): RedisEntry {
  const target = parseTarget(value);
  if (!target) return { id, problem: `found ${quote(value)}, expected ${VALUE_EXPECTED}` };
  const problem = poolProblem(target, { has: (name) => Object.hasOwn(pools, name) });
  return problem === undefined ? { id, route: redisRoute(id, target) } : { id, problem };
}
