import { assertEquals, assertStringIncludes } from "../assert.ts";
import { run } from "./command.ts";

const FILE = `
routes: [{ id: 1, host: n1.example.com, port: 7777 }]
allow: [10.0.0.0/8]
deny: [10.66.0.0/16]
`;

/** Exit status and lines of `explain` with the configuration `text`. */
async function explain(text: string, ...args: string[]) {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  await Deno.writeTextFile(file, text);
  const { status, out, err } = await run("explain", "-c", file, ...args);
  await Deno.remove(file);
  return { status, lines: [...out, ...err] };
}

const explainFrom = (address: string) => explain(FILE, "1", "--from", address);

Deno.test("explain --from names the entry that allows an address", async () => {
  const { status, lines } = await explainFrom("10.1.2.3");
  assertEquals([status, lines[0]], [0, "from 10.1.2.3: admitted: allow 10.0.0.0/8"]);
  assertStringIncludes(lines[1] ?? "", "n1.example.com:7777");
});

Deno.test("explain --from names the entry that denies an address, with exit status 1", async () => {
  const { status, lines } = await explainFrom("::ffff:10.66.0.1");
  assertEquals(status, 1);
  assertEquals(lines[0], "from ::ffff:10.66.0.1: refused with FORBIDDEN (8): deny 10.66.0.0/16");
});

Deno.test("explain --from with an invalid address is one line and exit status 2", async () => {
  for (const address of ["10.0.0.0/8", "here"]) {
    const { status, lines } = await explainFrom(address);
    assertEquals([status, lines.length], [2, 1]);
    assertStringIncludes(lines[0] ?? "", "--from");
  }
});

const RULES = `
routes:
  - { id: eu-1, host: a.example.com, port: 1 }
  - { match: "us-*", host: b.example.com, port: 2 }
  - { match: "eu-*", host: c.example.com, port: 3 }
  - { match: "*", host: d.example.com, port: 4 }
default: { host: e.example.com, port: 5 }
`;

Deno.test("explain shows for each rule why it is selected or not", async () => {
  const exact = await explain(RULES, "eu-1");
  assertEquals([exact.status, exact.lines], [0, [
    'ID "eu-1": id eu-1 -> a.example.com:1',
    "  id eu-1 -> a.example.com:1: selected",
    "  match us-* -> b.example.com:2: does not match",
    "  match eu-* -> c.example.com:3: matches too, but an earlier rule is selected",
    "  match * -> d.example.com:4: matches too, but an earlier rule is selected",
    "  default -> e.example.com:5: matches too, but an earlier rule is selected",
  ]]);
  const glob = await explain(RULES, "eu-2");
  assertEquals([glob.status, glob.lines.slice(0, 4)], [0, [
    'ID "eu-2": match eu-* -> c.example.com:3',
    '  id: none of the 1 routes with an ID has "eu-2"; the nearest is "eu-1"',
    "  match us-* -> b.example.com:2: does not match",
    "  match eu-* -> c.example.com:3: selected",
  ]]);
});

Deno.test("explain of an ID without a route shows the client's refusal, with exit status 1", async () => {
  const { status, lines } = await explain(FILE, "2");
  assertEquals([status, lines.length], [1, 2]);
  assertStringIncludes(lines[0] ?? "", "UNKNOWN_ID (4)");
  assertEquals(lines[1], '  id: none of the 1 routes with an ID has "2"; the nearest is "1"');
  assertEquals((await explain("routes: []", "2")).lines[1], "  id: no route has an ID");
});

Deno.test("explain of a value that cannot be an ID is an error, with exit status 1", async () => {
  const { status, lines } = await explain(FILE, "a\nb");
  assertEquals([status, lines.length], [1, 1]);
  assertStringIncludes(lines[0] ?? "", "BAD_FRAME (1)");
});

Deno.test("explain --json gives the same as data", async () => {
  const { status, lines } = await explain(RULES, "eu-2", "--json");
  const { rules, ...rest } = JSON.parse(lines[0] ?? "");
  assertEquals([status, lines.length], [0, 1]);
  assertEquals(rest, { id: "eu-2", rule: "match eu-*", target: "c.example.com:3", nearest_id: "eu-1" });
  assertEquals(rules.length, 4);
  assertEquals(rules[0], {
    rule: "match us-*",
    target: "b.example.com:2",
    matches: false,
    selected: false,
  });
  const denied = JSON.parse((await explain(FILE, "1", "--json", "--from", "192.0.2.1")).lines[0] ?? "");
  assertEquals(denied.rejection.name, "FORBIDDEN");
  assertEquals(denied.access.from, "192.0.2.1");
});
