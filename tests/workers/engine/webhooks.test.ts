/** Webhooks of connections in several workers. */

import { assertEquals } from "../../assert.ts";
import { until } from "../../wait.ts";
import { startWorkers } from "../fixture.ts";

const MANY = 24;

Deno.test("each connection is reported once when it opens and once when it ends, also after a reload", async () => {
  const events: { event: string; data: { conn: number } }[] = [];
  await using hook = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    events.push(await request.json());
    return new Response();
  });
  const url = `http://127.0.0.1:${hook.addr.port}/`;
  await using workers = await startWorkers({ webhooks: [{ url }] });
  for (let index = 0; index < MANY; index++) (await workers.join()).close();
  await until(() => events.length === 2 * MANY, "all are told", 20_000);
  for (const kind of ["connect", "disconnect"]) {
    const numbers = events.filter(({ event }) => event === kind).map(({ data }) => data.conn);
    assertEquals(
      numbers.toSorted((one, other) => one - other),
      Array.from({ length: MANY }, (_, at) => at + 1),
    );
  }
  await workers.engine.reload({ ...workers.config, webhooks: [{ url, events: ["connect", "reload"] }] });
  events.length = 0;
  for (let index = 0; index < MANY; index++) (await workers.join()).close();
  await until(() => events.length === MANY, "all are told", 20_000);
  assertEquals(new Set(events.map(({ event }) => event)), new Set(["connect"]));
});
