/** Rules about the fields of `redis`. */

import type { Problem } from "./check.ts";
import { checkKeyPair } from "./pool_rules.ts";
import { isMapping, type Mapping, type YamlValue } from "./yaml.ts";

const PLACES = ["url", "cluster", "sentinel"] as const;

/** Every broken rule of `redis`. */
export function* checkRedis(redis: YamlValue | undefined): Generator<Problem> {
  if (!isMapping(redis)) return;
  const given = PLACES.filter((place) => Object.hasOwn(redis, place));
  if (given.length === 0) {
    yield { path: "redis", message: "found none of url, cluster and sentinel, expected one of them" };
  }
  if (given.length > 1) {
    yield { path: "redis", message: `found ${given.join(" and ")}, expected only one of them` };
  }
  yield* checkLogin(redis, "redis");
  if (isMapping(redis["sentinel"])) yield* checkLogin(redis["sentinel"], "redis.sentinel");
  yield* checkKeyPair(redis["tls"], "redis.tls");
  const { url, tls, cluster, database } = redis;
  if (typeof url === "string" && /^redis:/i.test(url) && tls !== undefined && tls !== false) {
    yield { path: "redis.tls", message: "found with redis://, expected rediss:// in the url" };
  }
  if (cluster !== undefined && typeof database === "number" && database > 0) {
    yield { path: "redis.database", message: `found ${database} with cluster, which has only database 0` };
  }
}

function* checkLogin(login: Mapping, path: string): Generator<Problem> {
  if (!Object.hasOwn(login, "username") || Object.hasOwn(login, "password_file")) return;
  yield { path: `${path}.username`, message: "found without password_file, expected both" };
}
