/** docs/observability.md has what the admin API and webhooks offer; its metrics are tested with the files for Prometheus. */

import { ENDPOINTS } from "../../lib/admin/endpoints.ts";
import { WEBHOOK_EVENTS } from "../../lib/config/schema/webhooks.ts";
import { assertEquals } from "../assert.ts";

const read = (file: string) => Deno.readTextFile(new URL(`../../docs/${file}`, import.meta.url));

Deno.test("docs/observability.md lists every endpoint and every event", async () => {
  const page = await read("observability.md");
  const missing = [
    ...ENDPOINTS.map(({ method, path }) => `${method} ${path}`),
    ...WEBHOOK_EVENTS.map((event) => `\`${event}\``),
  ].filter((text) => !page.includes(text));
  assertEquals(missing, []);
});
