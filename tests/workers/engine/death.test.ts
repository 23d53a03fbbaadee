/** Workers that die. */

import type { WorkersEngine } from "../../../lib/workers/engine.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../assert.ts";
import { receive, receiveAll, send } from "../../bytes.ts";
import { named } from "../../clients.ts";
import { captureLog } from "../../serving.ts";
import { startNamed } from "../../upstreams.ts";
import { pause, until } from "../../wait.ts";
import { startWorkers } from "../fixture.ts";

const MANY = 24;

/** Duration of a long hang, in milliseconds. */
const HANG_MS = 10_000;

const script = new URL("../faulty_worker.ts", import.meta.url);

/** Has the first worker fail. */
function fail(engine: WorkersEngine, how: string): Promise<number> {
  return engine.terminate({ id: how }, { reason: "kicked", closedBy: "balancer" });
}

Deno.test("a worker that fails is replaced, and only its connections are lost", async (test) => {
  await using workers = await startWorkers({}, { script });
  const { engine } = workers;
  const dies = async (how: string) => {
    using log = captureLog();
    const before = (await engine.stats()).accepted;
    const clients = await Promise.all(Array.from({ length: MANY }, () => workers.join()));
    await engine.stats(); // the last report of the worker
    await fail(engine, how);
    await replaced(log);
    assertMatch(
      log.lines("worker 0 has died")[0] ?? "",
      /^worker 0 has died: .*; about \d+ connections are lost/,
    );
    const { active, accepted } = await engine.stats();
    assert(active > 0 && active < MANY, `${active} are left`);
    assertEquals(accepted - before, MANY);
    let left = 0;
    for (const client of clients) {
      if (await isOpen(client)) left += 1;
      client.close();
    }
    assertEquals(left, active);
    for (let tries = 0; tries < MANY; tries++) (await workers.join()).close();
    await until(async () => (await engine.stats()).active === 0, "all have ended");
  };
  for (const how of ["throws", "rejects", "exits", "exits with locks"]) {
    await test.step(`it ${how}`, () => dies(how));
  }
});

Deno.test("totals never decrease while a worker dies, whenever they are read", async () => {
  using log = captureLog();
  await using workers = await startWorkers({}, { script });
  const { engine } = workers;
  for (let tries = 0; tries < MANY; tries++) (await workers.join()).close();
  await until(async () => (await engine.stats()).active === 0, "all have ended");
  const { accepted, bytes } = await engine.stats();
  const failing = fail(engine, "throws");
  const read: number[][] = [];
  while (log.lines("worker 0 was replaced").length === 0) {
    assert(read.length < 10_000, "it was never replaced");
    const [stats, threads] = await Promise.all([engine.stats(), engine.measured.threads()]);
    const sumOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
    const identified = threads.map(({ counters }) => sumOf(counters?.identifying.buckets ?? []));
    read.push([
      stats.accepted,
      stats.bytes.up,
      sumOf(threads.map((thread) => thread.bytes.up)),
      sumOf(identified),
    ]);
    await pause(1);
  }
  await failing;
  const wrong = read.filter((totals) => totals.join() !== [accepted, bytes.up, bytes.up, MANY].join());
  assertEquals(wrong, [], `${read.length} times`);
});

async function replaced(log: ReturnType<typeof captureLog>): Promise<void> {
  await until(() => log.lines("worker 0 was replaced").length > 0, "it is replaced", 20_000);
}

/** Whether a byte comes back. */
async function isOpen(client: Parameters<typeof send>[0] & Parameters<typeof receive>[0]): Promise<boolean> {
  try {
    await send(client, new Uint8Array([7]));
    return (await receive(client, 1))[0] === 7;
  } catch {
    return false; // reset, or ended
  }
}

Deno.test("a worker that replaces another has the configuration of the last reload", async () => {
  using log = captureLog();
  await using workers = await startWorkers({}, { script });
  await using other = startNamed("other");
  const { engine, config } = workers;
  await engine.reload({ ...config, routes: [{ id: "2", host: "127.0.0.1", port: other.port }] });
  await fail(engine, "throws");
  await replaced(log);
  for (let tries = 0; tries < MANY; tries++) assertEquals(await named(workers, "2"), "other");
});

Deno.test("a reload while a worker dies applies to the others and to its replacement", async () => {
  using log = captureLog();
  await using workers = await startWorkers({}, { script });
  await using other = startNamed("other");
  const { engine, config } = workers;
  const failing = fail(engine, "throws");
  await engine.reload({ ...config, routes: [{ id: "2", host: "127.0.0.1", port: other.port }] });
  await failing;
  await replaced(log);
  for (let tries = 0; tries < MANY; tries++) assertEquals(await named(workers, "2"), "other");
});

Deno.test("a reload is in use everywhere although a worker fails meanwhile", async (test) => {
  await using workers = await startWorkers({}, { script });
  await using other = startNamed("other");
  const { engine, config } = workers;
  const dies = async (how: string) => {
    using log = captureLog();
    await fail(engine, how);
    await engine.reload({ ...config, routes: [{ id: "2", host: "127.0.0.1", port: other.port }] });
    await replaced(log);
    for (let tries = 0; tries < MANY; tries++) assertEquals(await named(workers, "2"), "other");
    await engine.reload(config);
    for (let tries = 0; tries < MANY; tries++) (await workers.join()).close();
  };
  for (const how of ["commits nothing", "exits at a commit", "exits at a preparation"]) {
    await test.step(`it ${how}`, () => dies(how));
  }
});

Deno.test("a reload during a drain is refused at once", async () => {
  await using workers = await startWorkers({ timeouts: { drain: 60_000 } });
  const { engine, config } = workers;
  using client = await workers.join();
  let isOver = false;
  const draining = engine.drain().then(() => isOver = true);
  await assertRejects(() => engine.reload(config), Error, "shutting down");
  assertEquals(isOver, false);
  await client.closeWrite();
  await receiveAll(client);
  await draining;
});

Deno.test("a worker that hangs is detected by its silence, and replaced", async () => {
  using log = captureLog();
  await using workers = await startWorkers({}, { script, silenceMs: 1000 });
  const { engine } = workers;
  const clients = await Promise.all(Array.from({ length: MANY }, () => workers.join()));
  await fail(engine, "hangs");
  await replaced(log);
  assertMatch(log.lines("worker 0 has died")[0] ?? "", /has not answered/);
  for (const client of clients) client.close();
  for (let tries = 0; tries < MANY; tries++) (await workers.join()).close();
});

Deno.test("a worker that dies during a drain is not replaced, and the drain ends", async () => {
  using log = captureLog();
  await using workers = await startWorkers({ timeouts: { drain: 60_000 } }, { script });
  const { engine } = workers;
  const clients = await Promise.all(Array.from({ length: MANY }, () => workers.join()));
  const draining = engine.drain();
  await fail(engine, "throws");
  for (const client of clients) {
    await client.closeWrite().catch(() => {}); // those of the dead worker are reset
    await receiveAll(client).catch(() => {});
    client.close();
  }
  assertEquals(await draining, 0);
  assertEquals(log.lines("was replaced").filter((line) => line === "worker 0 was replaced"), []);
});

Deno.test("a worker that cannot be ended is reported, and not replaced", async () => {
  using log = captureLog();
  const problems: string[] = [];
  const onStuck = (problem: string) => void problems.push(problem);
  await using workers = await startWorkers({}, { script, silenceMs: 500, endMs: 500, onStuck });
  await fail(workers.engine, "hangs for long");
  await until(() => problems.length > 0, "it is reported", 8000);
  assertMatch(problems[0] ?? "", /^worker 0 hangs and cannot be ended/);
  assertEquals(log.lines("worker 0 was replaced"), []);
});

Deno.test("a worker that hangs delays neither an answer nor the end", async () => {
  const timeouts = { drain: 10, drain_spread: 0 };
  await using workers = await startWorkers({ timeouts }, { script, answerMs: 100 });
  const { engine } = workers;
  using client = await workers.join();
  const start = performance.now();
  void fail(engine, "hangs for long");
  await engine.stats();
  await engine.measured.threads();
  await engine.connections({ limit: 10 });
  await engine.count({ subnet: "127.0.0.1", id: "1" });
  await engine.drain();
  assert(performance.now() - start < HANG_MS, "it was waited for");
  await receiveAll(client).catch(() => {}); // reset, if it was in the worker that hangs
});

Deno.test("a drain does not wait for a worker that hangs while it replaces another", async () => {
  using log = captureLog();
  const timeouts = { drain: 10, drain_spread: 0 };
  await using workers = await startWorkers({ timeouts }, { script });
  const start = performance.now();
  await fail(workers.engine, "exits, and hangs when it starts again");
  await until(() => log.lines("worker 0 has died").length > 0, "it has died");
  await pause(500); // by then the other one starts
  await workers.engine.drain();
  assert(performance.now() - start < HANG_MS, "it was waited for");
  assertEquals(log.lines("cannot be replaced"), []);
});
