/** `check`, `explain` and `routes` of a configuration with `redis`. */

import { assertEquals, assertStringIncludes } from "../../assert.ts";
import { patient, redisTest, sharedRedis } from "../../redis.ts";
import { run } from "../../cli/command.ts";

const shared = sharedRedis();
let keys = 0;

/** Runs a command with a configuration whose hash has `routes`. Without `server` nothing listens. */
async function runWith(
  routes: Readonly<Record<string, string>>,
  args: string[],
  server = shared.get().address,
) {
  const key = `routes:${++keys}`;
  if (Object.keys(routes).length > 0) await shared.get().set(routes, key);
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  await Deno.writeTextFile(
    file,
    `routes:\n  - { id: own, host: h, port: 1 }\n  - { match: "eu-*", host: g, port: 2 }\n` +
      `redis: { ${patient(`url: "redis://${server}", key: "${key}"`)} }\n`,
  );
  const [command = "", ...rest] = args;
  const { status, out, err } = await run(command, ...rest, "-c", file);
  await Deno.remove(file);
  return { status, out, err, where: `hash ${key} at redis://${server}` };
}

const NOBODY = "127.0.0.1:1";

redisTest("explain asks Redis for an ID that the file does not have", async () => {
  const found = await runWith({ "eu-1": "n1.example.com:7" }, ["explain", "eu-1"]);
  assertEquals([found.status, found.out], [0, [
    'ID "eu-1": redis eu-1 -> n1.example.com:7',
    '  id: none of the 1 routes with an ID has "eu-1"',
    "  redis eu-1 -> n1.example.com:7: selected",
    "  match eu-* -> g:2: matches too, but an earlier rule is selected",
  ]]);
  const missing = await runWith({ a: "n1.example.com:7" }, ["explain", "eu-2"]);
  assertEquals([missing.status, missing.out], [0, [
    'ID "eu-2": match eu-* -> g:2',
    '  id: none of the 1 routes with an ID has "eu-2"',
    `  redis: ${missing.where}: does not match`,
    "  match eu-* -> g:2: selected",
  ]]);
});

redisTest("explain shows why Redis is unavailable, and the client's refusal", async () => {
  const { status, out, where } = await runWith({}, ["explain", "eu-1"], NOBODY);
  assertEquals([status, out], [1, [
    'ID "eu-1": the client gets UPSTREAM_UNAVAILABLE (5), unless a balancer has the ID in its cache',
    '  id: none of the 1 routes with an ID has "eu-1"',
    `  redis: ${where}: cannot be used: ${NOBODY}: it refused the connection (connect ECONNREFUSED ${NOBODY})`,
    "  match eu-* -> g:2: matches, but is not used: Redis may have a route for the ID",
  ]]);
  assertEquals((await runWith({}, ["explain", "own"], NOBODY)).status, 0);
});

redisTest("explain --json has the answer of Redis", async () => {
  const { out } = await runWith({ a: "us" }, ["explain", "a", "--json"]);
  const { rejection, redis } = JSON.parse(out.join(""));
  assertEquals(rejection.name, "UPSTREAM_UNAVAILABLE");
  assertStringIncludes(redis.answer, 'found "us", which is neither a pool');
});

redisTest("routes --redis lists the hash, and reports invalid values", async () => {
  const routes = Object.fromEntries(Array.from({ length: 2500 }, (_, index) => [`d${index}`, `h${index}:1`]));
  const { status, out, err } = await runWith({ ...routes, "x\ny": "[::1]:9", bad: "a b" }, [
    "routes",
    "--redis",
  ]);
  assertEquals([status, out.length, new Set(out).size], [1, 2501, 2501]);
  assertEquals(out.includes("d7\th7:1") && out.includes("x\\u000ay\t[::1]:9"), true);
  assertEquals(err.length, 1);
  assertStringIncludes(err[0] ?? "", 'ID "bad": found "a b", expected host:port');
  const asJson = await runWith({ a: "h:1" }, ["routes", "--redis", "--json"]);
  assertEquals(JSON.parse(asJson.out.join("")), {
    rule: "redis a",
    id: "a",
    target: "h:1",
    on_removal: "keep",
  });
});

redisTest("routes --redis without a running Redis is one line and exit status 1", async () => {
  const { status, out, err } = await runWith({}, ["routes", "--redis"], NOBODY);
  assertEquals([status, out.length, err.length], [1, 0, 1]);
  assertStringIncludes(err[0] ?? "", `${NOBODY}: it refused the connection`);
});

Deno.test("routes --redis of a configuration without redis is an error with exit status 2", async () => {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  await Deno.writeTextFile(file, "routes: []\n");
  const { status, err } = await run("routes", "--redis", "-c", file);
  await Deno.remove(file);
  assertEquals([status, err], [2, [`switchyard: ${file}: redis: missing, needed for --redis`]]);
});

redisTest("check shows where the hash is, and does not connect", async () => {
  const { status, out, where } = await runWith({}, ["check"], NOBODY);
  assertEquals(status, 0);
  const line = `redis: ${where}, asked within 20s, known IDs kept for 1h without it, unknown ones for 5s`;
  assertEquals(out.filter((text) => text.startsWith("redis")), [line]);
});
