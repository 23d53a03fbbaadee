/** The worker of `load.ts`: parses and checks a configuration in a thread of its own. */

import { UsageError } from "../errors.ts";
import type { RouteConfig } from "./config.ts";
import type { WorkerReply, WorkerRequest } from "./load.ts";
import { decodeConfig } from "./parse.ts";

/** Routes in a message: less than a millisecond's work for the thread that receives them. */
const BATCH = 250;

/** The part of a worker's global scope that the types of a module lack. */
const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<WorkerRequest>) => void;
  postMessage(reply: WorkerReply): void;
};

let routes: readonly RouteConfig[] = [];
let sent = 0;

scope.onmessage = ({ data }) => {
  if ("file" in data) return scope.postMessage(check(data.bytes, data.file));
  const batch = routes.slice(sent, sent += BATCH);
  scope.postMessage({ routes: batch, more: sent < routes.length });
};

function check(bytes: Uint8Array, file: string): WorkerReply {
  try {
    const { routes: all, ...config } = decodeConfig(bytes, file);
    routes = all;
    return { config };
  } catch (error) {
    if (error instanceof UsageError) return { problems: error.problems };
    throw error;
  }
}
