/** The health of servers, which the main thread decides for all workers. */

import { sumOf } from "../../../lib/observe/counters.ts";
import { assertEquals } from "../../assert.ts";
import { named, refused } from "../../clients.ts";
import { poolOn } from "../../pools.ts";
import { captureLog } from "../../serving.ts";
import { freePort } from "../../sockets.ts";
import { startNamed } from "../../upstreams.ts";
import { until } from "../../wait.ts";
import { startWorkers } from "../fixture.ts";

const MANY = 24;

/** Workers that route ID n to a pool, and the reported health of its servers. */
async function startPooled(pool: ReturnType<typeof poolOn>) {
  const states: [string, string][] = [];
  const workers = await startWorkers({ pools: { eu: pool }, routes: [{ id: "n", pool: "eu" }] }, {
    observers: [{ serverChanged: ({ key }, state) => void states.push([key, state]) }],
  });
  return { ...workers, states, [Symbol.asyncDispose]: () => workers[Symbol.asyncDispose]() };
}

Deno.test("one thread checks a server for all workers, which use its results", async () => {
  using log = captureLog();
  await using up = startNamed("up");
  const port = freePort();
  const check = { interval: 50, timeout: 1000, fall: 1, rise: 1 };
  await using pooled = await startPooled(poolOn([up.port, port], { health_check: check }));
  await until(() => pooled.states.length > 0, "the server is down", 20_000);
  assertEquals(pooled.states, [[`127.0.0.1:${port}`, "down"]]);
  assertEquals(log.lines(`server 127.0.0.1:${port} of pool eu is down`).length, 1);
  for (let tries = 0; tries < MANY; tries++) assertEquals(await named(pooled, "n"), "up");
  const listed = await pooled.engine.measured.threads();
  assertEquals(listed.flatMap(({ counters }) => [...counters?.dialErrors.keys() ?? []]), []);
  await using _back = startNamed("back", port);
  await until(() => pooled.states.length === 2, "the server is back", 20_000);
  const names = new Set<string>();
  for (let tries = 0; tries < MANY; tries++) names.add(await named(pooled, "n"));
  assertEquals([...names].toSorted(), ["back", "up"]);
});

Deno.test("failed dials of any worker eject a server from all", async () => {
  await using up = startNamed("up");
  const port = freePort();
  await using pooled = await startPooled(poolOn([up.port, port], { max_fails: 3 }));
  while (pooled.states.length === 0) assertEquals(await named(pooled, "n"), "up");
  assertEquals(pooled.states, [[`127.0.0.1:${port}`, "ejected"]]);
  const failures = async () => {
    const threads = await pooled.engine.measured.threads();
    const { dialErrors } = sumOf(threads.flatMap(({ counters }) => counters ?? []));
    return dialErrors;
  };
  const before = await failures();
  for (let tries = 0; tries < MANY; tries++) assertEquals(await named(pooled, "n"), "up");
  assertEquals(await failures(), before);
});

Deno.test("a server whose ejection is over returns to every worker", async () => {
  await using up = startNamed("up");
  const port = freePort();
  await using pooled = await startPooled(poolOn([up.port, port], { max_fails: 1, fail_duration: 300 }));
  while (pooled.states.length === 0) assertEquals(await named(pooled, "n"), "up");
  await using _back = startNamed("back", port);
  await until(() => pooled.states.at(-1)?.[1] === "up", "it is back", 20_000);
  for (let returned = 0; returned < MANY;) if (await named(pooled, "n") === "back") returned += 1;
});

Deno.test("a pool without a healthy server is detected, and logged once, by the main thread", async () => {
  using log = captureLog();
  const check = { interval: 50, timeout: 1000, fall: 1, rise: 1 };
  await using pooled = await startPooled(poolOn([freePort()], { health_check: check }));
  await until(() => pooled.engine.snapshot.pools.get("eu")?.panicking === true, "none is healthy", 20_000);
  using client = await pooled.connect();
  assertEquals(await refused(client, "n"), 5);
  assertEquals(log.lines("pool eu has no healthy server").length, 1);
});

Deno.test("the webhook of an outage is called once, whichever workers hold clients", async () => {
  const calls: unknown[] = [];
  await using hook = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    calls.push(await request.json());
    return new Response();
  });
  const port = freePort();
  const wake = `http://127.0.0.1:${hook.addr.port}/wake`;
  const route = { id: "n", host: "127.0.0.1", port, hold: { for: 60_000, clients: 2 * MANY, wake } };
  await using workers = await startWorkers({ routes: [route] });
  const names = Array.from({ length: MANY }, () => named(workers, "n"));
  await until(() => calls.length > 0, "the webhook is called", 20_000);
  await using _up = startNamed("up", port);
  assertEquals(await Promise.all(names), Array.from({ length: MANY }, () => "up"));
  assertEquals(calls.length, 1);
});
