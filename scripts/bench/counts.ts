// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * The cost of counting connections: a permit in one thread that counts for itself, in one that shares its counts, and in
 * two of those at once; and the memory of shared counts. Times are the thread's processor time, the least of five
 * rounds. Linux only.
 *
 *     deno run --allow-all scripts/bench/counts.ts [PERMITS]
 */

import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { type AdmissionCounts, Limiter, type Limits } from "../../lib/admission/limiter.ts";
import { DEFAULT_CONNECTIONS } from "../../lib/config/config.ts";
import { emptyConfig } from "../../lib/config/parse.ts";
import { createSharedMemory, type SharedMemory } from "../../lib/shared/memory.ts";
import { SharedThread } from "../../lib/shared/thread.ts";

const ROUNDS = 5;
const THREADS = 2;
const SERVERS = 10;

const config = emptyConfig();
/** Limits by name; the default ones limit only the number of connections. */
const LIMITS: Readonly<Record<string, Limits>> = {
  "default limits": config,
  "every limit": {
    ...config,
    limits: {
      ...config.limits,
      connections_per_ip: 1000,
      connections_per_id: 1000,
      connection_rate_per_ip: 1_000_000,
    },
  },
};

interface Task {
  readonly memory: SharedMemory;
  readonly index: number;
  readonly limits: string;
  readonly permits: number;
  readonly barrier: SharedArrayBuffer;
}

if (isMainThread) await main(Number(Deno.args[0] ?? 50_000));
else parentPort?.postMessage(await share(workerData));

async function main(permits: number): Promise<void> {
  for (const limits of Object.keys(LIMITS)) {
    print(`permit, own counts, ${limits}`, Array.from({ length: ROUNDS }, () => measure(limits, permits)));
    const memory = newMemory();
    const alone = () => measure(limits, permits, threadOf(memory, 0));
    print(`permit, shared counts, one thread, ${limits}`, Array.from({ length: ROUNDS }, alone));
    print(`permit, shared counts, two threads at once, ${limits}`, await measureTogether(limits, permits));
  }
  measureServers(permits);
  measureMemory();
}

/** Nanoseconds from the reservation to the end, with an address and an ID of many. */
function measure(limits: string, permits: number, counts?: AdmissionCounts): number {
  const limiter = new Limiter(LIMITS[limits] ?? config, counts);
  const run = (count: number) => {
    for (let at = 0; at < count; at++) {
      using permit = limiter.reserve(() => {}, `10.1.${at & 255}.${(at >> 8) & 255}`);
      permit.identified(`device-${at % 10_000}`);
    }
  };
  run(permits / 10);
  const started = processorTime();
  run(permits);
  return (processorTime() - started) / permits;
}

async function measureTogether(limits: string, permits: number): Promise<number[]> {
  const task = { memory: newMemory(), limits, permits, barrier: new SharedArrayBuffer(4) };
  const times = await Promise.all(Array.from({ length: THREADS }, (_, index) => start({ ...task, index })));
  return times.flat();
}

async function start(workerData: Task): Promise<number[]> {
  const worker = new Worker(new URL(import.meta.url), { workerData });
  const times = await new Promise<number[]>((resolve, reject) =>
    worker.on("message", resolve).on("error", reject)
  );
  await worker.terminate();
  return times;
}

/** The threads begin each round together. */
function share({ memory, index, limits, permits, barrier }: Task): number[] {
  const counts = threadOf(memory, index);
  return Array.from({ length: ROUNDS }, (_, round) => {
    arrive(new Int32Array(barrier), THREADS * (round + 1));
    return measure(limits, permits, counts);
  });
}

function arrive(arrived: Int32Array, wanted: number): void {
  let seen = Atomics.add(arrived, 0, 1) + 1;
  Atomics.notify(arrived, 0);
  for (; seen < wanted; seen = Atomics.load(arrived, 0)) Atomics.wait(arrived, 0, seen);
}

/** Reads the count of a server, as least_connections does for each server of a pool. */
function measureServers(looks: number): void {
  const thread = threadOf(newMemory(), 0);
  const counts = Array.from({ length: SERVERS }, (_, at) => thread.ofServer(`eu 10.0.0.${at}:7777`));
  for (const count of counts) count.tryAdd(0);
  const times = Array.from({ length: ROUNDS }, () => {
    let sum = 0;
    const started = processorTime();
    for (let look = 0; look < looks; look++) for (const count of counts) sum += count.value;
    if (sum !== looks * SERVERS) throw new Error(`${sum} connections were counted`);
    return (processorTime() - started) / looks / SERVERS;
  });
  print("connections of a server, shared counts", times);
}

function measureMemory(): void {
  const before = residentMiB();
  const memory = newMemory();
  const { header, keys, rates } = memory;
  const bytes = [header, keys.locks, keys.slots, rates.locks, rates.slots]
    .reduce((sum, { byteLength }) => sum + byteLength, 0);
  const after = residentMiB();
  const limiter = new Limiter(LIMITS["every limit"] ?? config, threadOf(memory, 0));
  const permits = Array.from({ length: DEFAULT_CONNECTIONS }, (_, at) => {
    const permit = limiter.reserve(() => {}, `10.1.${at & 255}.${(at >> 8) & 255}`);
    permit.identified(`device-${at}`);
    return permit;
  });
  const held = residentMiB();
  for (const permit of permits) permit[Symbol.dispose]();
  console.log(
    `memory of ${THREADS} workers at the default limits.connections: ${mib(bytes / 2 ** 20)} MiB reserved, ` +
      `${mib(after - before)} resident at first, ${mib(held - after)} more, permits included, with ` +
      `${DEFAULT_CONNECTIONS} connections under every limit`,
  );
}

function newMemory(): SharedMemory {
  // the main thread reads counts, with its own index
  return createSharedMemory({ threads: THREADS + 1, connections: DEFAULT_CONNECTIONS });
}

function threadOf(memory: SharedMemory, index: number): SharedThread {
  return new SharedThread({ memory, index, onEviction: () => {} });
}

/** Of this thread, in nanoseconds: a busy machine has little influence on it. */
function processorTime(): number {
  return Number(Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ")[0]);
}

function residentMiB(): number {
  const [, pages = 0] = Deno.readTextFileSync("/proc/self/statm").split(" ").map(Number);
  return pages * 4096 / 2 ** 20;
}

function mib(value: number): string {
  return value.toFixed(1);
}

function print(what: string, times: readonly number[]): void {
  console.log(`${what}: ${Math.min(...times).toFixed(0)} ns`);
}
