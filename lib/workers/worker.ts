/** The module that a worker runs: an engine that does what the main thread asks. */

import { parentPort, workerData } from "node:worker_threads";
import { Channel } from "./channel.ts";
import type { MainCalls, WorkerSettings } from "./calls.ts";
import { WorkerEngine } from "./worker_engine.ts";

if (!parentPort) throw new Error("this module is run by the workers of switchyard serve alone");
const settings: WorkerSettings = workerData;
const write: MainCalls["write"] = (lines) => channel.call("write", lines);
const engine = new WorkerEngine(settings, write);
const channel: Channel<MainCalls> = new Channel<MainCalls>(parentPort, engine);
parentPort.on("message", (message) => channel.receive(message));
