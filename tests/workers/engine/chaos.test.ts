/** Connections, reloads and dying workers at the same time. */

import { assert, assertEquals } from "../../assert.ts";
import { ID, receive, send } from "../../bytes.ts";
import type { Client } from "../../clients.ts";
import { captureLog } from "../../serving.ts";
import { sized } from "../../soak.ts";
import { until } from "../../wait.ts";
import { startWorkers } from "../fixture.ts";

const LIMIT = 20;
const DEATHS = sized(6, 0.34);

Deno.test("limits are exact again after workers have died with locks held, under load and reloads", async () => {
  using log = captureLog();
  const script = new URL("../faulty_worker.ts", import.meta.url);
  const limits = { connections: 2 * LIMIT, connections_per_id: LIMIT, connections_per_ip: 2 * LIMIT };
  await using workers = await startWorkers({ limits, duplicate_id: "allow" }, { script });
  const { engine } = workers;
  const over = new AbortController();
  const load = Array.from({ length: 8 }, () => comeAndGo(workers.connect, over.signal));
  const reloads = reloadAgainAndAgain(workers, over.signal);
  for (let death = 1; death <= DEATHS; death++) {
    await engine.terminate({ id: "exits with locks" }, { reason: "kicked", closedBy: "balancer" });
    await until(() => log.lines("worker 0 was replaced").length >= death, `death ${death}`, 30_000);
  }
  over.abort();
  const served = await Promise.all(load);
  assert(await reloads > 0);
  assert(served.every((count) => count > 0), `served ${served}`);
  await until(async () => (await engine.stats()).active === 0, "all have ended", 20_000);
  for (let round = 0; round < 2; round++) {
    const clients = await Promise.all(Array.from({ length: 2 * LIMIT }, () => tryJoin(workers.connect)));
    const admitted = clients.filter((client) => client !== undefined);
    for (const client of admitted) client.close();
    assertEquals(admitted.length, LIMIT);
    await until(async () => (await engine.stats()).active === 0, "they have ended", 20_000);
  }
});

/** A client whose ID has come back; undefined if it was refused, or lost with its worker. */
async function tryJoin(connect: () => Promise<Client>): Promise<Client | undefined> {
  const client = await connect().catch(() => undefined);
  try {
    if (client) {
      await send(client, ID);
      if ((await receive(client, 1))[0] === ID[0]) return client;
    }
  } catch {
    // its worker has died
  }
  client?.close();
  return undefined;
}

/** Connects and ends until `signal` is aborted. Resolves to how often the client was served. */
async function comeAndGo(connect: () => Promise<Client>, signal: AbortSignal): Promise<number> {
  let served = 0;
  while (!signal.aborted) {
    const client = await tryJoin(connect);
    if (client) served += 1;
    client?.close();
  }
  return served;
}

async function reloadAgainAndAgain(
  { engine, config }: Awaited<ReturnType<typeof startWorkers>>,
  signal: AbortSignal,
): Promise<number> {
  let reloads = 0;
  for (; !signal.aborted; reloads++) {
    await engine.reload({ ...config, forward_id: reloads % 2 === 0 || config.forward_id });
  }
  return reloads;
}
