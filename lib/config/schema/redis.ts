/** `redis`: a table of routes that many balancers share. */

import * as v from "valibot";
import { parseRedisUrl, parseUpstream, REDIS_ADDRESS_EXPECTED, REDIS_URL_EXPECTED } from "../values.ts";
import { duration, filePath, integer, nonEmpty, parsed, positiveDuration } from "./fields.ts";
import { REDIS_URL_PATTERN, UPSTREAM_PATTERN } from "./patterns.ts";
import { tlsSchema } from "./upstream.ts";

const TEXT_EXPECTED = "text of at least one character";
const SENTINEL_EXPECTED = "a mapping such as { master: main, addresses: [10.0.0.1:26379, 10.0.0.2:26379] }";

function text(description: string) {
  return v.pipe(v.string(TEXT_EXPECTED), v.minLength(1, TEXT_EXPECTED), v.description(description));
}

function addresses(description: string) {
  const address = parsed(
    (written) => parseUpstream(written),
    REDIS_ADDRESS_EXPECTED,
    "Host and port of a server.",
    { pattern: UPSTREAM_PATTERN },
  );
  const expected = "a list of addresses, such as [10.0.0.1:6379]";
  return nonEmpty(address, { expected, least: "at least one address", description });
}

const sentinel = v.pipe(
  v.strictObject({
    master: text("Name under which the sentinels know the master."),
    addresses: addresses("The sentinels."),
    username: v.exactOptional(text("User of the sentinels. Only with password_file.")),
    password_file: v.exactOptional(filePath("File with the password of the sentinels.")),
  }, SENTINEL_EXPECTED),
  v.description("Sentinels that know which server is the master."),
);

/** Where the hash is, and how it is read. `redis_rules.ts` checks that there is one of url, cluster and sentinel. */
export const redisSchema = v.pipe(
  v.strictObject({
    url: v.exactOptional(
      parsed(parseRedisUrl, REDIS_URL_EXPECTED, "A single server; rediss:// for TLS.", {
        pattern: REDIS_URL_PATTERN,
      }),
    ),
    cluster: v.exactOptional(addresses("Servers of a Redis Cluster; it names the others.")),
    sentinel: v.exactOptional(sentinel),
    key: v.optional(
      text("Key of the hash from IDs to host:port or the name of a pool."),
      "switchyard:routes",
    ),
    database: v.optional(
      integer("a number, 0 to 65535", "Number of the database.", { least: 0 }),
      0,
    ),
    username: v.exactOptional(text("User, if it is not the default one. Only with password_file.")),
    password_file: v.exactOptional(filePath("File with the password.")),
    tls: v.exactOptional(tlsSchema),
    timeout: positiveDuration("1s", "Longest time for a look-up, and for connecting."),
    stale: duration("1h", "How long known IDs are routed from the cache while Redis is unavailable."),
    negative_ttl: positiveDuration("5s", "Longest time for which an ID is remembered as unknown."),
    cache_size: v.optional(
      integer("a number of IDs, 1 to 10000000", "Most IDs in the cache.", { most: 10_000_000 }),
      100_000,
    ),
  }, "a mapping such as { url: redis://127.0.0.1:6379 }"),
  v.description("A hash in Redis for IDs that neither routes nor tables have."),
);
