/** The module that `CheckWorker` runs: parses and checks configurations in a thread of its own. */

import { messageOf, UsageError } from "../errors.ts";
import { Reclaimed } from "../tables/reclaimed.ts";
import type { WorkerReply, WorkerRequest } from "./check_worker.ts";
import type { Config } from "./config.ts";
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
const reclaimed = new Reclaimed();

scope.onmessage = ({ data }) => {
  if ("release" in data) return release();
  scope.postMessage(orProblems(data));
};

function release(): void {
  loaded = undefined;
  void reclaimed.all();
}

function orProblems(request: Parameters<typeof reply>[0]): WorkerReply {
  try {
    return reply(request);
  } catch (error) {
    // thrown, an error would be printed among the lines of the log
    return error instanceof UsageError ? { problems: error.details } : { failure: messageOf(error) };
  }
}

function reply(request: Exclude<WorkerRequest, { readonly release: true }>): WorkerReply {
  if ("file" in request) {
    const all = decodeConfig(request.bytes, request.file);
    loaded = { config: all, source: request };
    sent = 0;
    const { routes: _, ...config } = all;
    return { config };
  }
  if (!loaded) throw new Error("the worker has no configuration yet");
  const { config, source } = loaded;
  if ("text" in request) {
    const { text, previous } = request;
    for (const memory of [text.bytes, previous?.text]) if (memory) reclaimed.await(memory);
    return { tableData: buildTables(config, text, source, previous) };
  }
  const routes = config.routes.slice(sent, sent += BATCH);
  return { routes, more: sent < config.routes.length };
}
