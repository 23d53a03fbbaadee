/** A worker that fails when it is asked to end the connections of certain IDs. */

import { parentPort, workerData } from "node:worker_threads";
import "../../lib/workers/worker.ts";

/** Faults by the ID that brings them about; only the worker with index 0 has them. */
const FAULTS: Readonly<Record<string, () => void>> = {
  throws: () => {
    throw new Error("a fault of the test");
  },
  rejects: () => void Promise.reject(new Error("a fault of the test")),
  exits: () => Deno.exit(1),
  hangs: () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  },
};

parentPort?.on("message", ({ call, args }: { call?: string; args?: [{ id?: string }] }) => {
  if (call === "terminate" && workerData.index === 0) FAULTS[args?.[0].id ?? ""]?.();
});
