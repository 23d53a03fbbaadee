import { RouteTable, ruleText } from "../../lib/route/table.ts";
import { assertEquals } from "../assert.ts";
import { tableOf as tableOfFile } from "../tables.ts";

const upstream = { host: "a.example.com", port: 1 };

function tableOf(...globs: string[]): RouteTable {
  return new RouteTable(globs.map((match) => ({ match, ...upstream })));
}

function ruleFor(table: RouteTable, id: string): string | undefined {
  const route = table.find(id);
  return route && ruleText(route.rule);
}

Deno.test("an ID that would slow down a glob is looked up quickly", () => {
  const table = tableOf("*-*-*-*-*-prod");
  assertEquals(table.find("-".repeat(255)), undefined);
  assertEquals(table.find("-".repeat(65_535)), undefined);
  assertEquals(ruleFor(table, "a-b-c-d-e-prod"), "match *-*-*-*-*-prod");
});

Deno.test("the first glob in file order matches, after exact IDs and before the default", () => {
  const routes = [{ match: "eu-*", ...upstream }, { match: "*", ...upstream }, { id: "eu-1", ...upstream }];
  const table = new RouteTable(routes, upstream);
  assertEquals(["eu-1", "eu-2", "us-1"].map((id) => ruleFor(table, id)), [
    "id eu-1",
    "match eu-*",
    "match *",
  ]);
  assertEquals(ruleFor(new RouteTable([], upstream), "x"), "default");
});

Deno.test("IDs such as __proto__ are plain keys", () => {
  const table = new RouteTable([{ id: "__proto__", ...upstream }]);
  assertEquals(ruleFor(table, "__proto__"), "id __proto__");
  assertEquals(["constructor", "toString"].map((id) => table.find(id)), [undefined, undefined]);
});

Deno.test("each rule of a table is found in an equal table, with any text", () => {
  const routes = [
    { id: "match *", ...upstream },
    { id: "default", ...upstream },
    { match: "default", ...upstream },
    { match: "a\nb*", ...upstream },
  ];
  const [table, other] = [new RouteTable(routes, upstream), new RouteTable(routes, upstream)];
  const rules = [...table.rules()].map(({ rule }) => rule);
  for (const rule of rules) assertEquals(other.routeOf(rule)?.rule, rule);
  assertEquals(rules.length, table.size);
  assertEquals(table.routeOf({ kind: "id", text: "nobody" }), undefined);
  // each kind has its own texts
  assertEquals(table.routeOf({ kind: "match", text: "match *" }), undefined);
  assertEquals(tableOf("*").routeOf({ kind: "default", text: "" }), undefined);
});

Deno.test("a trace has each glob and whether it matches, and one is selected", () => {
  const steps = [...tableOf("a*", "b*", "*").trace("b1")];
  assertEquals(steps.map(({ matches, selected }) => [matches, selected]), [
    [false, false],
    [true, true],
    [true, false],
  ]);
});

Deno.test("a table is used after exact routes and before globs, and names file and line", () => {
  const routes = [{ id: "1", ...upstream }, { match: "*", ...upstream }];
  const table = new RouteTable(routes, upstream, tableOfFile("# first\n1\teu\n2\teu\n").data);
  assertEquals(["1", "2", "3"].map((id) => ruleFor(table, id)), ["id 1", "table 0.tsv:3", "match *"]);
  assertEquals(table.size, 4);
  assertEquals([...table.rules()].map(({ rule }) => ruleText(rule)), [
    "id 1",
    "table 0.tsv:3",
    "match *",
    "default",
  ]);
  for (let skipped = 0; skipped < 5; skipped++) {
    assertEquals([...table.rules(skipped)], [...table.rules()].slice(skipped));
  }
  assertEquals([...table.trace("1")].map(({ selected }) => selected), [true, false, false, false]);
});
