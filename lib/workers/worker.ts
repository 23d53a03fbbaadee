/** The module that a worker runs: an engine that handles the calls of the main thread. */

import { parentPort, workerData } from "node:worker_threads";
import { WorkerEngine } from "./worker_engine.ts";

if (!parentPort) throw new Error("this module is only for the workers of switchyard serve");
const engine = new WorkerEngine(workerData, parentPort);
parentPort.on("message", (message) => engine.channel.receive(message));
// otherwise the platform would print a trace among the log lines, and buffered lines would be lost
addEventListener("error", (event) => {
  event.preventDefault();
  engine.fail(event.error);
});
addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  engine.fail(event.reason);
});
