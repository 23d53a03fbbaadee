/** The files for Prometheus and Grafana in docs/monitoring, and the page that lists the metrics. */

import { Metrics } from "../../lib/observe/metrics.ts";
import { everything } from "../observe/metrics_source.ts";
import { assert, assertEquals } from "../assert.ts";

const DOCS = new URL("../../docs/", import.meta.url);

const read = (name: string) => Deno.readTextFile(new URL(name, DOCS));

/** The names of all metrics. */
async function metricNames(): Promise<Set<string>> {
  const metrics = new Metrics(() => everything, { version: "1.2.3", deno: "2.9.6" });
  return new Set((await metrics.text()).match(/(?<=^# TYPE )\S+/gm));
}

Deno.test("docs/observability.md lists every metric", async () => {
  const page = await read("observability.md");
  const names = [...await metricNames()].map((name) => name.replace(/^switchyard_/, ""));
  assertEquals(names.filter((name) => !page.includes(`| \`${name}\``)), []);
});

for (const file of ["alerts.yml", "dashboard.json"]) {
  Deno.test(`docs/monitoring/${file} uses metrics that exist`, async () => {
    const used = (await read(`monitoring/${file}`)).match(/switchyard_\w+/g) ?? [];
    const known = await metricNames();
    assert(used.length > 5);
    assertEquals(used.filter((name) => !known.has(name.replace(/_bucket$/, ""))), []);
  });
}

Deno.test("the panels of the dashboard have a title and a query, and no two the same place", async () => {
  const { panels } = JSON.parse(await read("monitoring/dashboard.json"));
  const places = new Set();
  for (const { title, targets, gridPos: { x, y } } of panels) {
    assert(title !== "" && targets.every(({ expr }: { expr: string }) => expr !== ""));
    places.add(`${x} ${y}`);
  }
  assertEquals(places.size, panels.length);
});

/** Debian has it in the package prometheus. */
const PROMTOOL = Deno.env.get("PROMTOOL") ?? "promtool";

function hasPromtool(): boolean {
  try {
    return new Deno.Command(PROMTOOL, { args: ["--version"] }).outputSync().success;
  } catch {
    return false;
  }
}

Deno.test({
  name: "promtool finds nothing wrong with the alert rules",
  ignore: !hasPromtool(),
  async fn() {
    const args = ["check", "rules", new URL("monitoring/alerts.yml", DOCS).pathname];
    const { success, stderr } = await new Deno.Command(PROMTOOL, { args }).output();
    assert(success, new TextDecoder().decode(stderr));
  },
});
