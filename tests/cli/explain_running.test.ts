/** `explain` before a running balancer gives the answers that it gives for the file. */

import { AdminServer } from "../../lib/admin/server.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { administer } from "../admin/administered.ts";
import { assertEquals } from "../assert.ts";
import { redisTest, sharedRedis } from "../redis.ts";
import { until } from "../wait.ts";
import { run } from "./command.ts";

const FILE = `
listeners: [{ address: "127.0.0.1:0" }]
routes:
  - { id: 1, host: 127.0.0.1, port: 9 }
  - { id: held, host: 127.0.0.1, port: 9, hold: { for: 5s, clients: 3 } }
  - { id: gone, pool: off }
  - { match: "eu-*", pool: eu }
  - { match: "eu-7*", pool: turns }
  - { match: "rr-*", pool: turns }
tables: [ids.tsv]
pools:
  eu:
    servers:
      - { host: 127.0.0.1, port: 1, weight: 2 }
      - { host: 127.0.0.1, port: 2 }
      - { host: 127.0.0.1, port: 3, weight: 0 }
      - { host: 127.0.0.1, port: 4, backup: true }
  turns: { strategy: round_robin, servers: [{ host: 127.0.0.1, port: 5 }] }
  off: { servers: [{ host: 127.0.0.1, port: 6, weight: 0 }] }
deny: [192.0.2.66]
allow: [192.0.2.0/24]
`;

/** A file of configuration, with a table beside it, and a balancer that uses it. */
async function startBoth(text: string) {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/routes.yaml`;
  await Deno.writeTextFile(file, text);
  await Deno.writeTextFile(`${folder}/ids.tsv`, "tab-1\t127.0.0.1\t7\n");
  const admin = administer(await loadConfig(file));
  const server = await AdminServer.start({ address: { host: "127.0.0.1", port: 0 } }, admin.source);
  return {
    admin,
    explain: async (...args: string[]) => ({
      ofFile: answerIn(await run("explain", ...args, "-c", file)),
      running: answerIn(await run("explain", ...args, "--admin", `127.0.0.1:${server.address.port}`)),
    }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await admin[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** What both forms of the answer have: the status, the verdict on each rule, and the servers in their order. */
function answerIn({ status, out }: { status: number; out: readonly string[] }) {
  const rules = out.filter((line) => / -> .*: /.test(line) && line.startsWith("  "));
  const servers = out.flatMap((line) => {
    const [, server] = /^ {2}(?:pool \w+: )?(?:\d\. )?(127\.0\.0\.1:\d)(?=[:,]|$)/.exec(line) ?? [];
    return server === undefined ? [] : [`${server}${line.includes("not tried") ? " not tried" : ""}`];
  });
  return { status, rules: rules.map((line) => line.trim()), servers };
}

const CASES: readonly (readonly [args: string, status: number, selected?: string, servers?: string])[] = [
  ["1", 0, "id 1 -> 127.0.0.1:9"],
  ["held", 0, "id held -> 127.0.0.1:9"],
  ["tab-1", 0, "table ids.tsv:1 -> 127.0.0.1:7"],
  ["eu-1", 0, "match eu-* -> pool eu", "127.0.0.1:1 127.0.0.1:2 127.0.0.1:4 127.0.0.1:3 not tried"],
  ["eu-7", 0, "match eu-* -> pool eu", "127.0.0.1:1 127.0.0.1:2 127.0.0.1:4 127.0.0.1:3 not tried"],
  ["eu-3", 0, "match eu-* -> pool eu", "127.0.0.1:2 127.0.0.1:1 127.0.0.1:4 127.0.0.1:3 not tried"],
  ["rr-1", 0, "match rr-* -> pool turns", "127.0.0.1:5"],
  ["gone", 1, "id gone -> pool off"],
  ["nobody", 1],
  ["x".repeat(256), 1],
  ["1 --from 192.0.2.7", 0, "id 1 -> 127.0.0.1:9"],
  ["1 --from 192.0.2.66", 1, "id 1 -> 127.0.0.1:9"],
  ["1 --from ::ffff:192.0.2.66", 1, "id 1 -> 127.0.0.1:9"],
  ["1 --from 10.0.0.1", 1, "id 1 -> 127.0.0.1:9"],
];

Deno.test("explain answers alike for a file and for a balancer that uses it", async () => {
  await using both = await startBoth(FILE);
  for (const [args, status, selected, servers] of CASES) {
    const { ofFile, running } = await both.explain(...args.split(" "));
    assertEquals([ofFile.status, running.status], [status, status], args);
    assertEquals(running.rules, ofFile.rules, args);
    const found = running.rules.find((line) => line.endsWith(": selected"));
    assertEquals(found, selected && `${selected}: selected`, args);
    if (servers === undefined) continue;
    assertEquals([ofFile.servers.join(" "), running.servers.join(" ")], [servers, servers], args);
  }
});

const shared = sharedRedis();

redisTest("explain answers alike for routes in Redis, and for a Redis that does not answer", async () => {
  const server = shared.get();
  await server.set({ "in-redis": "127.0.0.1:8", wrong: "nowhere" });
  const redisOf = (address: string) => `${FILE}redis: { url: "redis://${address}", timeout: 10s }\n`;
  await using both = await startBoth(redisOf(server.address));
  await until(
    async () => (await both.admin.balancer.engine.stats()).redis?.up === true,
    "Redis is connected",
  );
  const statuses = [];
  for (const id of ["in-redis", "nobody", "wrong", "eu-1"]) {
    const { ofFile, running } = await both.explain(id);
    assertEquals(running.status, ofFile.status, id);
    statuses.push(running.status);
  }
  assertEquals(statuses, [0, 1, 1, 0]);
  await using without = await startBoth(redisOf("127.0.0.1:9"));
  for (const [id, status] of [["1", 0], ["eu-1", 1]] as const) {
    const { ofFile, running } = await without.explain(id);
    assertEquals([ofFile.status, running.status], [status, status], id);
  }
});
