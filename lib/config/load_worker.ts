/** The worker of `load.ts`: parses and checks a configuration in a thread of its own. */

import { UsageError } from "../errors.ts";
import type { Config } from "./config.ts";
import type { WorkerReply, WorkerRequest } from "./load.ts";
import { decodeConfig } from "./parse.ts";
import { buildTables, type Source } from "./tables.ts";

/** Routes in a message: less than a millisecond's work for the thread that receives them. */
const BATCH = 250;

/** The part of a worker's global scope that the types of a module lack. */
const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<WorkerRequest>) => void;
  postMessage(reply: WorkerReply): void;
};

let loaded: { readonly config: Config; readonly source: Source } | undefined;
let sent = 0;

scope.onmessage = ({ data }) => scope.postMessage(orProblems(data));

function orProblems(request: WorkerRequest): WorkerReply {
  try {
    return reply(request);
  } catch (error) {
    if (error instanceof UsageError) return { problems: error.details };
    throw error;
  }
}

function reply(request: WorkerRequest): WorkerReply {
  if ("file" in request) {
    const all = decodeConfig(request.bytes, request.file);
    loaded = { config: all, source: request };
    const { routes: _, ...config } = all;
    return { config };
  }
  if (!loaded) throw new Error("the worker has no configuration yet");
  const { config, source } = loaded;
  if ("text" in request) {
    return { tableData: buildTables(config, request.text, source, request.previous) };
  }
  const routes = config.routes.slice(sent, sent += BATCH);
  return { routes, more: sent < config.routes.length };
}
