import { explainRoute } from "../../lib/route/explain.ts";
import { RouteTable, ruleText } from "../../lib/route/table.ts";
import { assertEquals } from "../assert.ts";

const upstream = { host: "a.example.com", port: 1 };
const table = new RouteTable([{ id: "eu-1", ...upstream }, { match: "us-*", ...upstream }, {
  match: "*1",
  ...upstream,
}]);

Deno.test("an explanation has the selected route, and every rule in the order tried", () => {
  const { route, rejection, steps, exact } = explainRoute(table, "eu-1");
  assertEquals([route && ruleText(route.rule), rejection, exact], ["id eu-1", undefined, undefined]);
  assertEquals(steps.map(({ route: { rule }, matches, selected }) => [ruleText(rule), matches, selected]), [
    ["id eu-1", true, true],
    ["match us-*", false, false],
    ["match *1", true, false],
  ]);
});

Deno.test("an ID without a route is rejected as unknown, with the nearest exact ID", () => {
  const { route, rejection, exact } = explainRoute(table, "eu-2");
  assertEquals([route, rejection?.name, rejection?.code], [undefined, "UNKNOWN_ID", 4]);
  assertEquals(exact, { count: 1, nearest: "eu-1" });
});

Deno.test("a denied address is rejected before the ID is checked", () => {
  const access = { allowed: false, because: "deny 10.0.0.0/8" };
  assertEquals(explainRoute(table, "eu-1", { access }).rejection?.name, "FORBIDDEN");
  assertEquals(explainRoute(table, "", { invalid: "an ID", access }).rejection?.name, "FORBIDDEN");
  assertEquals(explainRoute(table, "", { invalid: "an ID" }).rejection?.name, "BAD_FRAME");
});
