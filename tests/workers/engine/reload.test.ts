/** A change of the configuration reaches every worker, or none. */

import type { Config } from "../../../lib/config/config.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { receive, receiveAll, send } from "../../bytes.ts";
import { identify, named, refused } from "../../clients.ts";
import { freePort } from "../../sockets.ts";
import { tableOf } from "../../tables.ts";
import { startNamed } from "../../upstreams.ts";
import { pause } from "../../wait.ts";
import { sharedWorkers } from "../fixture.ts";

const start = sharedWorkers();

/** So many connections that all go to one worker only once in 2^23 runs. */
const MANY = 24;

Deno.test("a reload changes the routes of every worker, and touches no connection", async () => {
  await using workers = await start();
  await using other = startNamed("other");
  const { engine, config } = workers;
  using open = await workers.join();
  const change = await engine.reload({
    ...config,
    routes: [...config.routes, { id: "2", host: "127.0.0.1", port: other.port }],
  });
  assertEquals(change, { added: 1, changed: 0, removed: 0, connections: 0 });
  for (let tries = 0; tries < MANY; tries++) assertEquals(await named(workers, "2"), "other");
  await send(open, new Uint8Array([7]));
  assertEquals(await receive(open, 1), new Uint8Array([7]));
  assertEquals((await engine.stats()).routes, 2);
});

Deno.test("every worker looks IDs up in the same memory, also after a reload of the table", async () => {
  await using other = startNamed("other");
  const table = (id: string) => tableOf(`${id}\t127.0.0.1\t${other.port}\n`).data;
  await using workers = await start({ routes: [], tableData: table("first") });
  const { engine, config } = workers;
  for (let tries = 0; tries < MANY; tries++) assertEquals(await named(workers, "first"), "other");
  const change = await engine.reload({ ...config, tableData: table("second") });
  assertEquals(change, { added: 1, changed: 0, removed: 1, connections: 0 });
  for (let tries = 0; tries < MANY; tries++) assertEquals(await named(workers, "second"), "other");
  using client = await workers.connect();
  assertEquals(await refused(client, "first"), 4);
});

Deno.test("connections of a route that is removed end in every worker", async () => {
  await using workers = await start();
  const { engine, config } = workers;
  const routes = [...config.routes, {
    ...config.routes[0],
    id: "2",
    on_removal: "close",
  }] as Config["routes"];
  await engine.reload({ ...config, routes });
  const clients = await Promise.all(Array.from({ length: MANY }, () => workers.join("2")));
  assertEquals((await engine.reload(config)).connections, MANY);
  for (const client of clients) {
    assertEquals(await receiveAll(client), new Uint8Array());
    client.close();
  }
});

Deno.test("a reload that one worker refuses changes none", async () => {
  await using workers = await start();
  const { engine, config } = workers;
  const port = freePort();
  const bad = { ...config, listeners: [...config.listeners, { address: { host: "127.0.0.1", port } }] };
  using taken = Deno.listen({ hostname: "127.0.0.1", port });
  await assertRejects(() => engine.reload({ ...bad, routes: [] }), Error, `127.0.0.1:${port}`);
  const missing = { cert: "/nowhere/cert.pem", key: "/nowhere/key.pem", certificates: [] };
  const tls = config.listeners.map((listener) => ({ ...listener, tls: missing }));
  await assertRejects(() => engine.reload({ ...config, listeners: tls, routes: [] }), Error, "/nowhere/");
  assertEquals(engine.config, config);
  for (let tries = 0; tries < MANY; tries++) (await workers.join()).close();
  // a failed reload does not disturb the next one
  taken.close();
  await engine.reload(bad);
  for (let tries = 0; tries < MANY; tries++) {
    using client = await Deno.connect({ hostname: "127.0.0.1", port });
    await identify(client);
  }
});

Deno.test("a listener that is removed is closed in every worker", async () => {
  await using workers = await start();
  const { engine, config } = workers;
  const port = freePort();
  const address = { host: "127.0.0.1", port };
  await engine.reload({ ...config, listeners: [...config.listeners, { address }] });
  assertEquals(engine.addresses.map((addr) => addr.port), [workers.port, port]);
  await engine.reload(config);
  assertEquals(engine.addresses.map((addr) => addr.port), [workers.port]);
  await refuses(port);
});

/** Waits until nothing listens on the port, since the system closes sockets with a delay. */
async function refuses(port: number): Promise<void> {
  for (let listening = true; listening;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      await pause(10);
    } catch (error) {
      assert(error instanceof Deno.errors.ConnectionRefused, String(error));
      listening = false;
    }
  }
}

Deno.test("reloads under load: no connection fails", async () => {
  await using workers = await start();
  const { engine, config } = workers;
  let over = false;
  const clients = Array.from({ length: 4 }, async () => {
    let served = 0;
    for (; !over; served++) (await workers.join()).close();
    return served;
  });
  for (let reload = 1; reload <= 20; reload++) {
    const added = { id: `x${reload}`, host: "127.0.0.1", port: 9 };
    await engine.reload({ ...config, routes: [...config.routes, added] });
  }
  over = true;
  assert((await Promise.all(clients)).every((served) => served > 0));
});

Deno.test("concurrent reloads run one after the other, and the last one wins", async () => {
  await using workers = await start();
  await using last = startNamed("last");
  const { engine, config } = workers;
  const reloads = Array.from({ length: 5 }, (_, index) => {
    const port = index === 4 ? last.port : 9;
    return engine.reload({ ...config, routes: [{ id: "n", host: "127.0.0.1", port }] });
  });
  await Promise.all(reloads);
  for (let tries = 0; tries < MANY; tries++) assertEquals(await named(workers, "n"), "last");
  using client = await workers.connect();
  assertEquals(await refused(client, "1"), 4);
});
