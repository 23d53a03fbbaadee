/** docs/observability.md is complete. */

import { Metrics } from "../../lib/observe/metrics.ts";
import { everything } from "../observe/metrics_source.ts";
import { ENDPOINTS } from "../../lib/admin/endpoints.ts";
import { WEBHOOK_EVENTS } from "../../lib/config/schema/webhooks.ts";
import { assertEquals } from "../assert.ts";

const read = (file: string) => Deno.readTextFile(new URL(`../../docs/${file}`, import.meta.url));

/** The names in the lines about types. */
async function metricNames(): Promise<string[]> {
  const text = await new Metrics(() => everything, { version: "1", deno: "2" }).text();
  return [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name);
}

Deno.test("docs/observability.md lists every metric, every endpoint and every event", async () => {
  const page = await read("observability.md");
  const names = await metricNames();
  const missing = [
    ...names.map((name) => `\`${name.replace("switchyard_", "")}\``),
    ...ENDPOINTS.map(({ method, path }) => `${method} ${path}`),
    ...WEBHOOK_EVENTS.map((event) => `\`${event}\``),
  ].filter((text) => !page.includes(text));
  assertEquals(missing, []);
});
