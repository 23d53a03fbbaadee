/** Limits hold over all workers, exactly. */

import { encodeId } from "../../../lib/frame/tlv.ts";
import { assert, assertEquals } from "../../assert.ts";
import { receive, receiveAll, send } from "../../bytes.ts";
import { type Client, connectOver } from "../../clients.ts";
import { captureLog } from "../../serving.ts";
import { until } from "../../wait.ts";
import { poolOn } from "../../pools.ts";
import { startEcho } from "../../upstreams.ts";
import { sharedWorkers, startWorkers } from "../fixture.ts";

const start = sharedWorkers();

/** Connections that are tried at once: all in one worker once in 2^39. */
const MANY = 40;

/** Where clients connect to. */
interface Workers {
  connect(): Promise<Client>;
}

/** Connects `MANY` clients with this ID at once. Returns those that were admitted. */
async function admitted(workers: Workers, idOf: (index: number) => string = () => "1"): Promise<Client[]> {
  const clients: Client[] = [];
  await Promise.all(Array.from({ length: MANY }, async (_, index) => {
    const client = await workers.connect();
    await send(client, encodeId(idOf(index)));
    const [first] = await receive(client, 1);
    if (first === 3) client.close();
    else clients.push(client);
  }));
  return clients;
}

function closeAll(clients: Iterable<Client>): void {
  for (const client of clients) client.close();
}

for (const limits of [{ connections_per_id: 7 }, { connections_per_ip: 7 }]) {
  Deno.test(`${Object.keys(limits)} is exact, and places are released`, async () => {
    await using workers = await start({ limits });
    for (let round = 0; round < 2; round++) {
      const clients = await admitted(workers);
      assertEquals(clients.length, 7);
      closeAll(clients);
      while ((await workers.engine.stats()).active > 0);
    }
  });
}

Deno.test("connection_rate_per_ip is exact over all workers", async () => {
  const rate = 7;
  await using workers = await start({ limits: { connection_rate_per_ip: rate } });
  const begun = performance.now();
  const clients = await admitted(workers);
  const seconds = (performance.now() - begun) / 1000;
  assert(
    clients.length >= rate && clients.length <= rate * (1.1 + seconds),
    `${clients.length} in ${seconds} s`,
  );
  closeAll(clients);
});

Deno.test("clients behind a proxy count under their own addresses over all workers", async () => {
  await using workers = await startWorkers({
    listeners: [{ address: { host: "127.0.0.1", port: 0 }, proxy_protocol: { trusted: ["127.0.0.0/8"] } }],
    limits: { connections_per_ip: 7 },
  });
  const all: Client[] = [];
  for (const address of ["192.0.2.1", "192.0.2.2"]) {
    const header = new TextEncoder().encode(`PROXY TCP4 ${address} 192.0.2.9 1 2\r\n`);
    const connect = async () => {
      const client = await workers.connect();
      await send(client, header);
      return client;
    };
    const clients = await admitted({ ...workers, connect });
    assertEquals(clients.length, 7);
    // the other address is counted separately
    all.push(...clients);
  }
  closeAll(all);
});

Deno.test("connections over WebSocket count in the same way over all workers", async () => {
  await using workers = await start({ limits: { connections_per_id: 7 } });
  const connect = () => connectOver("websocket", workers.port);
  const clients = await admitted({ ...workers, connect });
  assertEquals(clients.length, 7);
  assertEquals((await admitted(workers)).length, 0);
  closeAll(clients);
});

Deno.test("limits.connections is exact", async () => {
  await using workers = await start({ limits: { connections: 2 * MANY } });
  const first = await admitted(workers);
  const second = await admitted(workers);
  assertEquals([first.length, second.length], [MANY, MANY]);
  using late = await workers.connect();
  await send(late, encodeId("1"));
  assertEquals((await receive(late, 1))[0], 3);
  closeAll([...first, ...second]);
});

Deno.test("a silent client of another worker makes room for one that sends its ID", async () => {
  await using workers = await start({ limits: { connections: MANY }, timeouts: { id: 60_000 } });
  const silent = await Promise.all(Array.from({ length: MANY / 2 }, () => workers.connect()));
  while ((await workers.engine.stats()).active < MANY / 2);
  const clients: Client[] = [];
  // one after the other: at once they would be silent too for a moment
  for (let index = 0; index < MANY; index++) clients.push(await workers.join());
  for (const client of silent) assertEquals((await receive(client, 1))[0], 3);
  closeAll([...silent, ...clients]);
});

Deno.test("duplicate_id: reject admits one connection of an ID over all workers", async () => {
  await using workers = await start({ duplicate_id: "reject" });
  const clients = await admitted(workers);
  assertEquals(clients.length, 1);
  closeAll(clients);
});

Deno.test("duplicate_id: replace keeps one connection of an ID over all workers", async () => {
  await using workers = await start({ duplicate_id: "replace" });
  const clients: Client[] = [];
  for (let index = 0; index < MANY; index++) clients.push(await workers.join());
  for (const client of clients.slice(0, -1)) await receiveAll(client);
  const [last] = clients.slice(-1);
  if (last) {
    await send(last, new Uint8Array([7]));
    assertEquals(await receive(last, 1), new Uint8Array([7]));
  }
  closeAll(clients);
});

Deno.test("max_connections of a pool is exact, and shown, over all workers", async () => {
  await using upstream = startEcho();
  const pool = poolOn([upstream.port], { max_connections: 7 });
  await using workers = await start({ pools: { eu: pool }, routes: [{ match: "*", pool: "eu" }] });
  const clients = await admitted(workers);
  assertEquals(clients.length, 7);
  const server = workers.engine.snapshot.pools.get("eu")?.servers[0];
  assertEquals(server?.active, 7);
  closeAll(clients);
  await until(() => server?.active === 0, "places are given back", 20_000);
});

Deno.test("least_connections counts the connections of every worker", async () => {
  await using one = startEcho();
  await using other = startEcho();
  const pool = poolOn([one.port, other.port], { strategy: "least_connections" });
  await using workers = await start({ pools: { eu: pool }, routes: [{ match: "*", pool: "eu" }] });
  const clients: Client[] = [];
  for (let index = 0; index < MANY; index++) clients.push(await workers.join());
  const servers = workers.engine.snapshot.pools.get("eu")?.servers ?? [];
  assertEquals(servers.map(({ active }) => active), [MANY / 2, MANY / 2]);
  closeAll(clients);
});

Deno.test("numbers of connections are unique, and an operator ends exactly one", async () => {
  await using workers = await start();
  const { engine } = workers;
  const clients = await admitted(workers);
  const pages = await engine.connections({ limit: 10 });
  const rest = await engine.connections({ limit: 100, after: pages.at(-1)?.conn ?? 0 });
  const numbers = [...pages, ...rest].map(({ conn }) => conn);
  assertEquals(numbers.toSorted((one, other) => one - other), numbers);
  assertEquals(new Set(numbers).size, MANY);
  const kicked = await engine.terminate({ conn: numbers[5] }, { reason: "kicked", closedBy: "balancer" });
  assertEquals(kicked, 1);
  // it takes a moment to end
  while ((await engine.stats()).active === MANY);
  const left = (await engine.connections({ limit: 100 })).map(({ conn }) => conn);
  assertEquals(left, numbers.filter((conn) => conn !== numbers[5]));
  closeAll(clients);
});

Deno.test("the counts of a dead worker's connections are released", async () => {
  using log = captureLog();
  const script = new URL("../faulty_worker.ts", import.meta.url);
  await using workers = await startWorkers({ limits: { connections_per_id: MANY } }, { script });
  const before = await admitted(workers);
  assertEquals(before.length, MANY);
  await workers.engine.terminate({ id: "throws" }, { reason: "kicked", closedBy: "balancer" });
  await until(() => log.lines("worker 0 was replaced").length === 1, "it is replaced", 20_000);
  const { active } = await workers.engine.stats();
  const after = await admitted(workers);
  assertEquals(after.length, MANY - active);
  closeAll([...before, ...after]);
});
