/** A worker that fails when it has to end the connections of certain IDs. */

import { parentPort, workerData } from "node:worker_threads";
import { lock } from "../../lib/shared/lock.ts";
import { HEADER, type SharedMemory } from "../../lib/shared/memory.ts";
import "../../lib/workers/worker.ts";
import { WorkerEngine } from "../../lib/workers/worker_engine.ts";

/** Memory that outlives the worker. */
const HANGS_AT_START = new Int32Array(workerData.memory.header, 4 * (HEADER.rows - 1), 1);

/** Faults by the ID that causes them; only the worker with index 0 has them. */
const FAULTS: Readonly<Record<string, () => void>> = {
  throws: () => {
    throw new Error("a fault of the test");
  },
  rejects: () => void Promise.reject(new Error("a fault of the test")),
  "exits with locks": () => {
    const { header, keys, rates }: SharedMemory = workerData.memory;
    const take = (buffer: SharedArrayBuffer, at: number) =>
      lock(new Int32Array(buffer), at, workerData.index);
    take(header, HEADER.lock);
    for (const { locks } of [keys, rates]) for (let at = 0; at < locks.byteLength / 4; at++) take(locks, at);
    Deno.exit(1);
  },
  exits: () => Deno.exit(1),
  "commits nothing": () => {
    WorkerEngine.prototype.commit = () => Promise.reject(new Error("a fault of the test"));
  },
  "exits at a commit": () => {
    WorkerEngine.prototype.commit = () => Deno.exit(1);
  },
  "exits at a preparation": () => {
    WorkerEngine.prototype.prepare = () => Deno.exit(1);
  },
  "exits, and hangs when it starts again": () => {
    HANGS_AT_START[0] = 1;
    Deno.exit(1);
  },
  hangs: () => hang(3000),
  "hangs for long": () => hang(10_000),
};

function hang(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

parentPort?.on("message", ({ call, args }: { call?: string; args?: [{ id?: string }] }) => {
  if (call === "terminate" && workerData.index === 0) FAULTS[args?.[0].id ?? ""]?.();
});

if (workerData.index === 0 && HANGS_AT_START[0] === 1) hang(10_000);
