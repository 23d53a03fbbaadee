import { parseConfig } from "../../lib/config/parse.ts";
import { UsageError } from "../../lib/errors.ts";
import { redisConfig } from "../redis.ts";
import { assertEquals } from "../assert.ts";

function problemsOf(fields: string): readonly string[] {
  try {
    parseConfig(`routes: []\nredis: { ${fields} }\n`, "routes.yaml");
    return [];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return error.problems.map((problem) => problem.replace(/^routes\.yaml:\d+:\d+: /, ""));
  }
}

Deno.test("redis has defaults for everything but the server", () => {
  assertEquals(parseConfig('routes: []\nredis: { url: "redis://localhost" }', "routes.yaml").redis, {
    url: { host: "localhost", port: 6379, tls: false },
    key: "switchyard:routes",
    database: 0,
    timeout: 1000,
    stale: 3_600_000,
    negative_ttl: 5000,
    cache_size: 100_000,
  });
  assertEquals(redisConfig('url: "rediss://[::1]:7000"').url, { host: "::1", port: 7000, tls: true });
});

const URL = 'url: "redis://h"';

for (
  const [fields, ...problems] of [
    ["key: a", "redis: found none of url, cluster and sentinel, expected one of them"],
    [`${URL}, cluster: ["h:1"]`, "redis: found url and cluster, expected only one of them"],
    [`${URL}, username: a`, "redis.username: found without password_file, expected both"],
    [`${URL}, tls: true`, "redis.tls: found with redis://, expected rediss:// in the url"],
    ['cluster: ["h:1"], database: 1', "redis.database: found 1 with cluster, which has only database 0"],
    [
      'sentinel: { master: m, addresses: ["h:1"], username: a }',
      "redis.sentinel.username: found without password_file, expected both",
    ],
    [
      'url: "redis://user:secret@h/1"',
      'redis.url: found "redis://user:…@h/1", expected redis://HOST:PORT, or rediss:// for TLS; ' +
      "user, password and database have fields of their own",
    ],
    [
      'url: "redis://:a:b/c@d@h"',
      'redis.url: found "redis://:…@h", expected redis://HOST:PORT, or rediss:// for TLS; ' +
      "user, password and database have fields of their own",
    ],
    [
      'url: "rediss://h", tls: { cert: a.pem }',
      "redis.tls: found only one of cert and key, expected both or neither",
    ],
  ] as const
) {
  Deno.test(`refused: redis: { ${fields} }`, () => assertEquals(problemsOf(fields), problems));
}
