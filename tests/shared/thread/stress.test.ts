import { Worker } from "node:worker_threads";
import { createSharedMemory, rowAt } from "../../../lib/shared/memory.ts";
import { SharedThread } from "../../../lib/shared/thread.ts";
import { assert, assertEquals } from "../../assert.ts";
import { sized } from "../../soak.ts";
import type { Seen, Stress } from "./stress_worker.ts";

const THREADS = 4;
const KEYS = 6;
const ROUNDS = sized(300_000);

Deno.test("threads that count the same keys never exceed a limit, and release all counts", async () => {
  const memory = createSharedMemory({ threads: THREADS, connections: 100 });
  const settings = {
    memory,
    rounds: ROUNDS,
    threads: THREADS,
    keys: KEYS,
    limit: 5,
    placesLimit: 8,
    truth: new SharedArrayBuffer(4 * (KEYS + 2)),
  };
  const seen = await Promise.all(
    Array.from({ length: THREADS }, (_, index) => run({ ...settings, index })),
  );
  assertEquals(seen.map(({ exceeded }) => exceeded), [0, 0, 0, 0]);
  assert(seen.some(({ refused }) => refused > 0), "the limit was reached");
  const numbers = new Set(seen.flatMap(({ numbers }) => numbers));
  assertEquals([numbers.size, Math.max(...numbers)], [THREADS * ROUNDS, THREADS * ROUNDS]);
  const { ids } = new SharedThread({ memory, index: 0, onEviction: () => {} });
  for (let key = 0; key < KEYS; key++) assertEquals(ids.get(`key ${key}`), 0);
  const rows = new Int32Array(memory.header).subarray(rowAt(0));
  assert(rows.every((word) => word === 0), `places are left: ${rows}`);
});

async function run(workerData: Stress): Promise<Seen> {
  const worker = new Worker(new URL("./stress_worker.ts", import.meta.url), { workerData });
  const { promise, resolve, reject } = Promise.withResolvers<Seen>();
  worker.on("message", resolve);
  worker.on("error", reject);
  const seen = await promise;
  await worker.terminate();
  return seen;
}
