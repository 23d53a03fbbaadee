/** The files for Prometheus and Grafana in docs/monitoring, and the page that lists the metrics. */

import { Metrics } from "../../lib/observe/metrics.ts";
import { everything } from "../observe/metrics_source.ts";
import { assert, assertEquals } from "../assert.ts";

const DOCS = new URL("../../docs/", import.meta.url);

const read = (name: string) => Deno.readTextFile(new URL(name, DOCS));

/** The types of all metrics, by name. */
async function metricTypes(): Promise<Map<string, string>> {
  const text = await new Metrics(() => everything, { version: "1.2.3", deno: "2.9.6" }).text();
  return new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]),
  );
}

/** Rows of the table of metrics: name, type and labels. */
async function documented(): Promise<readonly { name: string; type: string; labels: readonly string[] }[]> {
  const rows = (await read("observability.md")).matchAll(
    /^\| `(\w+)` +\| (counter|gauge|histogram) +\| (.*?) *\|/gm,
  );
  return [...rows].map(([, name, type = "", labels = ""]) => {
    return { name: `switchyard_${name}`, type, labels: labels.match(/\w+/g) ?? [] };
  });
}

Deno.test("docs/observability.md lists every metric, and its type", async () => {
  const rows = await documented();
  assertEquals(new Map(rows.map(({ name, type }) => [name, type])), await metricTypes());
});

for (const file of ["alerts.yml", "dashboard.json"]) {
  Deno.test(`docs/monitoring/${file} uses metrics that exist`, async () => {
    const used = (await read(`monitoring/${file}`)).match(/switchyard_\w+/g) ?? [];
    const known = await metricTypes();
    assert(used.length > 5);
    assertEquals(used.filter((name) => !known.has(name.replace(/_bucket$/, ""))), []);
  });
}

/** Labels that Prometheus itself adds, and that of a bucket. */
const OTHER_LABELS = ["instance", "job", "le"];

for (const file of ["alerts.yml", "dashboard.json"]) {
  Deno.test(`docs/monitoring/${file} uses labels that exist`, async () => {
    const text = await read(`monitoring/${file}`);
    const selected = [...text.matchAll(/switchyard_\w+\{(\w+)/g)].map(([, label]) => label);
    const grouped = [...text.matchAll(/ by \(([^)]+)\)/g)].flatMap(([, labels = ""]) => labels.split(", "));
    const shown = [...text.matchAll(/\{\{ ?(?:\$labels\.)?(\w+) ?\}\}/g)].map(([, label]) => label);
    const known = new Set([...OTHER_LABELS, ...(await documented()).flatMap(({ labels }) => labels)]);
    const used = [...selected, ...grouped, ...shown];
    assert(used.length > 5);
    assertEquals(used.filter((label = "") => !known.has(label)), []);
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
