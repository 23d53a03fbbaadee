/** The end of an engine of several workers. */

import { encodeId } from "../../../lib/frame/tlv.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { receive, receiveAll, send } from "../../bytes.ts";
import { refusalCode } from "../../clients.ts";
import { until } from "../../wait.ts";
import { startWorkers } from "../fixture.ts";

const MANY = 24;

Deno.test("a drain lets every worker's connections end, to the last byte", async () => {
  await using workers = await startWorkers({ timeouts: { drain: 60_000 } });
  const { engine } = workers;
  const clients = await Promise.all(Array.from({ length: MANY }, () => workers.join()));
  let ended = false;
  const draining = engine.drain().then((terminated) => {
    ended = true;
    return terminated;
  });
  assertEquals(engine.draining, true);
  // each worker refuses new clients once it is notified
  for (let turnedAway = 0; turnedAway < MANY;) {
    using late = await workers.connect();
    await send(late, encodeId("1"));
    const received = await receive(late, 1);
    if (received[0] === 3) turnedAway += 1;
  }
  const block = crypto.getRandomValues(new Uint8Array(60_000));
  for (const client of clients) {
    await send(client, block);
    assertEquals((await receive(client, block.length)).toBase64(), block.toBase64());
    assertEquals(ended, false);
    await client.closeWrite();
    assertEquals(await receiveAll(client), new Uint8Array());
    client.close();
  }
  assertEquals(await draining, 0);
  await assertRejects(() => workers.connect(), Deno.errors.ConnectionRefused);
});

Deno.test("a drain whose time is over terminates the remaining connections of every worker, and returns their number", async () => {
  await using workers = await startWorkers({ timeouts: { drain: 200, drain_spread: 50 } });
  const clients = await Promise.all(Array.from({ length: MANY }, () => workers.join()));
  assertEquals(await workers.engine.drain(), MANY);
  for (const client of clients) {
    await receiveAll(client);
    client.close();
  }
});

Deno.test("a client that is silent when a drain begins gets SHUTTING_DOWN, and later ones too", async () => {
  await using workers = await startWorkers({ timeouts: { drain: 300, drain_spread: 0 } });
  using silent = await workers.connect();
  using open = await workers.join();
  const draining = workers.engine.drain();
  assertEquals(refusalCode(await receiveAll(silent)), 7);
  assertEquals(await draining, 2);
  await receiveAll(open);
});

Deno.test("close ends every connection at once, also while it drains", async () => {
  await using workers = await startWorkers({ timeouts: { drain: 60_000 } });
  const { engine } = workers;
  const clients = await Promise.all(Array.from({ length: MANY }, () => workers.join()));
  const draining = engine.drain();
  await engine.close();
  assertEquals(await draining, 0);
  await until(() => engine.active === 0, "no connection is open");
  for (const client of clients) {
    await receiveAll(client);
    client.close();
  }
  await assertRejects(() => engine.reload(workers.config), Error, "shutting down");
});
