import { assertEquals } from "../assert.ts";
import { run } from "./command.ts";

const FILE = `
routes:
  - { id: 1, host: n1.example.com, port: 7777 }
  - { match: "eu-*", pool: eu }
  - { match: "us-*", pool: us }
default: { pool: off }
pools:
  eu:
    servers: [{ host: a.example.com, port: 1, weight: 2 }, { host: b.example.com, port: 2 }, { host: c, port: 3, backup: true }]
    health_check: {}
  us: { strategy: random, servers: [{ host: d, port: 4 }] }
  off: { servers: [{ host: e, port: 5, weight: 0 }] }
`;

async function lines(command: string, ...args: string[]): Promise<string[]> {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  await Deno.writeTextFile(file, FILE);
  const { out, err } = await run(command, "-c", file, ...args);
  await Deno.remove(file);
  return [...out, ...err];
}

Deno.test("check summarizes each pool", async () => {
  assertEquals(
    (await lines("check")).filter((line) => line.startsWith("pool") || line.startsWith("routes")),
    [
      "routes: 1 by ID, 2 by glob, other IDs to pool off",
      "pool eu: hash over 2 servers and 1 backups, checked every 2s",
      "pool us: random over 1 servers and 0 backups, not checked",
      "pool off: hash over 1 servers and 0 backups, not checked",
    ],
  );
});

Deno.test("routes lists the servers of each pool", async () => {
  assertEquals(await lines("routes"), [
    "id 1        n1.example.com:7777",
    "match eu-*  pool eu",
    "match us-*  pool us",
    "default     pool off",
    "pool eu  hash  a.example.com:1  weight 2",
    "pool eu  hash  b.example.com:2  weight 1",
    "pool eu  hash  c:3  weight 1, backup",
    "pool us  random  d:4  weight 1",
    "pool off  hash  e:5  drained (weight 0)",
  ]);
});

Deno.test("explain lists the servers that an ID tries, in order if that depends on the ID", async () => {
  const found = (await lines("explain", "eu-1")).filter((line) => line.startsWith("  pool"));
  assertEquals(found, [
    "  pool eu: 1. b.example.com:2",
    "  pool eu: 2. a.example.com:1",
    "  pool eu: 3. c:3, once no other server can be reached",
  ]);
  assertEquals((await lines("explain", "us-1")).filter((line) => line.startsWith("  pool")), [
    "  pool us: d:4",
    "  pool us: the order depends on random",
  ]);
  assertEquals(
    (await lines("explain", "x")).at(-1),
    "  pool off: every server is drained (weight 0): clients are refused",
  );
});
