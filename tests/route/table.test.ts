import { RouteTable } from "../../lib/route/table.ts";
import { assert, assertEquals } from "../assert.ts";

const upstream = { host: "a.example.com", port: 1 };

function tableOf(...globs: string[]): RouteTable {
  return new RouteTable(globs.map((match) => ({ match, ...upstream })));
}

Deno.test("an ID that was made to slow a glob down is looked up at once", () => {
  const table = tableOf("*-*-*-*-*-prod");
  assertEquals(table.find("-".repeat(255)), undefined);
  assertEquals(table.find("-".repeat(65_535)), undefined);
  assertEquals(table.find("a-b-c-d-e-prod")?.rule, "match *-*-*-*-*-prod");
});

Deno.test("the first glob in the order of the file is taken, behind exact IDs and before the default", () => {
  const routes = [{ match: "eu-*", ...upstream }, { match: "*", ...upstream }, { id: "eu-1", ...upstream }];
  const table = new RouteTable(routes, upstream);
  assertEquals(["eu-1", "eu-2", "us-1"].map((id) => table.find(id)?.rule), [
    "id eu-1",
    "match eu-*",
    "match *",
  ]);
  assertEquals(new RouteTable([], upstream).find("x")?.rule, "default");
});

Deno.test("IDs such as __proto__ are plain keys", () => {
  const table = new RouteTable([{ id: "__proto__", ...upstream }]);
  assertEquals(table.find("__proto__")?.rule, "id __proto__");
  assertEquals(["constructor", "toString"].map((id) => table.find(id)), [undefined, undefined]);
});

Deno.test("each rule is found again by its name, whatever is in it", () => {
  const table = new RouteTable([{ id: "match *", ...upstream }, { match: "a\nb*", ...upstream }], upstream);
  for (const { rule } of table.rules()) assertEquals(table.named(rule)?.rule, rule);
  assertEquals([...table.rules()].length, table.size);
  assert(table.named("id nobody") === undefined && table.named("nothing") === undefined);
});

Deno.test("a trace has each glob with whether it matches, and one is selected", () => {
  const steps = [...tableOf("a*", "b*", "*").trace("b1")];
  assertEquals(steps.map(({ matches, selected }) => [matches, selected]), [
    [false, false],
    [true, true],
    [true, false],
  ]);
});
