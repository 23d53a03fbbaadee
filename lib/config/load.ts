/** Loading the configuration's file, in a thread of its own if it is large. */

import { messageOf, type ProblemDetail, UsageError } from "../errors.ts";
import type { TableData, TableText } from "../tables/data.ts";
import { TimeSlice } from "../util/async.ts";
import { readBytes, ReadError, type ReadOptions } from "../util/read_file.ts";
import type { Config, RouteConfig } from "./config.ts";
import { decodeConfig } from "./parse.ts";
import { buildTables, readTables, tablePaths } from "./tables.ts";

/** About 300,000 routes: more than are written by hand, and parsed within seconds. */
const MAX_FILE_BYTES = 16 << 20;

/** Largest file that is parsed without a worker: it takes a few milliseconds, less than a worker's start. */
const SMALL_BYTES = 16 << 10;

/** Sent to the worker: first the file's bytes to check, then its tables, then requests for its routes, batch by batch. */
export type WorkerRequest =
  | { readonly file: string; readonly bytes: Uint8Array }
  | { readonly text: TableText; readonly previous: TableData | undefined }
  | { readonly next: true };

/** Its replies. All routes in one message would block the thread that receives them. */
export type WorkerReply =
  | { readonly problems: readonly ProblemDetail[] }
  | { readonly config: Omit<Config, "routes"> }
  | { readonly tableData: TableData }
  | { readonly routes: readonly ReceivedRoute[]; readonly more: boolean };

/** A route that is not shared yet, so that its host may be replaced. */
type ReceivedRoute = RouteConfig & { host?: string };

/** Options of loading. */
export interface LoadOptions extends ReadOptions {
  /** Called with the paths of the files of `tables` before they are read. */
  readonly onTables?: (paths: readonly string[]) => void | Promise<void>;
  /** The table in use, to compare the new one with. */
  readonly previous?: TableData | undefined;
}

/**
 * The configuration in a file.
 *
 * @throws {UsageError} with one line for every problem, also where the file cannot be read
 */
export async function loadConfig(file: string, options: LoadOptions = {}): Promise<Config> {
  const bytes = await readConfigFile(file, options);
  const config = decodeConfig(bytes, file);
  await options.onTables?.(tablePaths(config, file));
  if (config.tables.length === 0) return config;
  const text = await readTables(config, file);
  return { ...config, tableData: buildTables(config, text, { file, bytes }, options.previous) };
}

/** The same, without blocking this thread for longer than a few milliseconds. */
export async function loadInBackground(file: string, options: LoadOptions = {}): Promise<Config> {
  const { previous, onTables } = options;
  const bytes = await readConfigFile(file, options);
  const small = bytes.length <= SMALL_BYTES ? decodeConfig(bytes, file) : undefined;
  if (small?.tables.length === 0) {
    await onTables?.([]);
    return small;
  }
  using worker = new CheckWorker();
  const { config } = await worker.ask({ file, bytes }, "config");
  await onTables?.(tablePaths(config, file));
  if (config.tables.length === 0) return { ...config, routes: await receiveRoutes(worker) };
  const text = await readTables(config, file);
  const { tableData } = await worker.ask({ text, previous }, "tableData");
  return { ...config, tableData, routes: await receiveRoutes(worker) };
}

async function readConfigFile(
  file: string,
  options: LoadOptions,
): Promise<Uint8Array> {
  try {
    return await readBytes(file, { maxBytes: MAX_FILE_BYTES, ...options });
  } catch (error) {
    throw error instanceof ReadError ? new UsageError(error.message, { cause: error }) : error;
  }
}

async function receiveRoutes(worker: CheckWorker): Promise<RouteConfig[]> {
  const routes: RouteConfig[] = [];
  const hosts = new Map<string, string>();
  const slice = new TimeSlice();
  for (let more = true; more;) {
    const batch = await worker.ask({ next: true }, "routes");
    for (const route of batch.routes) {
      if (route.host !== undefined) route.host = shared(hosts, route.host);
      routes.push(route);
    }
    more = batch.more;
    if (slice.over) await slice.rest();
  }
  return routes;
}

/** One string for all routes to the same host keeps the table small. */
function shared(texts: Map<string, string>, text: string): string {
  const known = texts.get(text);
  if (known === undefined) texts.set(text, text);
  return known ?? text;
}

type ReplyField = "config" | "tableData" | "routes";
type ReplyWith<F extends ReplyField> = Extract<WorkerReply, { readonly [Field in F]: unknown }>;

/** The worker, one request at a time. */
class CheckWorker implements Disposable {
  readonly #worker = new Worker(new URL("./load_worker.ts", import.meta.url).href, { type: "module" });

  /**
   * The reply to a request, which has the field `wanted`.
   *
   * @throws {UsageError} with the problems that the worker has found
   */
  async ask<F extends ReplyField>(request: WorkerRequest, wanted: F): Promise<ReplyWith<F>> {
    const reply = await this.#request(request);
    if ("problems" in reply) throw new UsageError(reply.problems);
    if (!(wanted in reply)) throw new Error(`the check of the configuration replied without ${wanted}`);
    return reply as ReplyWith<F>;
  }

  #request(request: WorkerRequest): Promise<WorkerReply> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => resolve(data);
      this.#worker.onerror = (event) => {
        // otherwise it would end the process
        event.preventDefault();
        reject(new Error(`the configuration could not be checked: ${messageOf(event.message)}`));
      };
      this.#worker.postMessage(request);
    });
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
