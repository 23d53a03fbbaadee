/** The module that a worker runs: an engine that does what the main thread asks. */

import { parentPort, workerData } from "node:worker_threads";
import { WorkerEngine } from "./worker_engine.ts";

if (!parentPort) throw new Error("this module is run by the workers of switchyard serve alone");
const { channel } = new WorkerEngine(workerData, parentPort);
parentPort.on("message", (message) => channel.receive(message));
