/** Several workers behind one interface. */

import { WorkersEngine } from "../../lib/workers/engine.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { receive, receiveAll, send } from "../bytes.ts";
import { type Client } from "../clients.ts";
import { configTo, overEach } from "../fixture.ts";
import { sized } from "../soak.ts";
import { acceptedByEach, sharedWorkers, startWorkers } from "./fixture.ts";

const start = sharedWorkers();

/** So many connections that 20 percent are six standard deviations. */
const CONNECTIONS = sized(2000, 0.5);

overEach("a connection is relayed to its last byte by any worker", async (transport) => {
  await using workers = await start();
  const block = crypto.getRandomValues(new Uint8Array(60_000));
  await Promise.all(Array.from({ length: 8 }, async () => {
    using client = await workers.join("1", transport);
    await send(client, block);
    assertEquals((await receive(client, block.length)).toBase64(), block.toBase64());
    await client.closeWrite();
    assertEquals(await receiveAll(client), new Uint8Array());
  }));
});

Deno.test(`${CONNECTIONS} connections are spread over two workers within 20 percent`, async () => {
  await using workers = await start();
  const before = await acceptedByEach(workers.engine);
  for (let tries = 0; tries < CONNECTIONS; tries += 100) {
    await Promise.all(Array.from({ length: 100 }, async () => {
      using _client = await workers.join();
    }));
  }
  const each = (await acceptedByEach(workers.engine)).map((count, index) => count - (before[index] ?? 0));
  assertEquals(each.length, 2);
  assertEquals(each.reduce((sum, count) => sum + count), CONNECTIONS);
  assert(each.every((count) => Math.abs(count - CONNECTIONS / 2) < CONNECTIONS / 10), String(each));
});

Deno.test("totals, lists, counts and terminations cover all workers", async () => {
  await using workers = await startWorkers();
  const { engine } = workers;
  const clients: Client[] = [];
  // all in one worker: once in 2^23
  for (let index = 0; index < 24; index++) clients.push(await workers.join());
  const stats = await engine.stats();
  assertEquals([stats.active, stats.accepted, stats.routes], [24, 24, 1]);
  const counts = { active: 24, silent: 0, ofSubnet: 24, ofId: 24 };
  assertEquals(await engine.count({ subnet: "127.0.0.1", id: "1" }), counts);
  const listed = await engine.connections({ limit: 100, order: "bytes" });
  assertEquals(listed.length, 24);
  const now = performance.now();
  assert(
    listed.every(({ acceptedAt }) => acceptedAt > 0 && acceptedAt < now),
    "times of this thread's clock",
  );
  assertEquals((await engine.connections({ limit: 5 })).length, 5);
  assertEquals(await engine.terminate({ id: "1" }, { reason: "kicked", closedBy: "balancer" }), 24);
  for (const client of clients) {
    await receiveAll(client);
    client.close();
  }
  assertEquals((await acceptedByEach(engine)).filter((count) => count > 0).length, 2);
});

Deno.test("an address in use is an error, and nothing is left open", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0, reusePort: true });
  const { port } = taken.addr as Deno.NetAddr;
  const config = { ...configTo(1, { workers: 2 }), listeners: [{ address: { host: "127.0.0.1", port } }] };
  await assertRejects(
    () => WorkersEngine.start(config, { observers: [], counts: false, version: "1.2.3", onStuck: () => {} }),
    Error,
    `cannot listen on 127.0.0.1:${port}: the address is in use`,
  );
});

Deno.test("clients are served from the start, also if the process starts others meanwhile", async () => {
  // a process that is being started has the sockets of this one for a moment
  const spawner = new Worker(new URL("./spawner.ts", import.meta.url), { type: "module" });
  for (let start = 0; start < sized(80, 0.03); start++) {
    await using workers = await startWorkers();
    const clients = await Promise.all(Array.from({ length: 40 }, () => workers.join()));
    for (const client of clients) client.close();
  }
  spawner.terminate();
});
