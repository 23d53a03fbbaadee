/** Loading the configuration's file, in a thread of its own if it is large. */

import { messageOf, UsageError } from "../errors.ts";
import { TimeSlice } from "../util/async.ts";
import { readBytes, ReadError, type ReadOptions } from "../util/read_file.ts";
import type { Config, RouteConfig } from "./config.ts";
import { decodeConfig } from "./parse.ts";

/** Some 300,000 routes: more than anybody writes by hand, and parsed within seconds. */
const MAX_FILE_BYTES = 16 << 20;

/** Up to this many bytes are parsed within a few milliseconds, sooner than a worker starts. */
const SMALL_BYTES = 16 << 10;

/** Sent to the worker: first the file's bytes to check, then requests for its routes, batch by batch. */
export type WorkerRequest = { readonly file: string; readonly bytes: Uint8Array } | { readonly next: true };

/** Its replies. All routes in one message would block the thread that receives them. */
export type WorkerReply =
  | { readonly problems: readonly string[] }
  | { readonly config: Omit<Config, "routes"> }
  | { readonly routes: readonly ReceivedRoute[]; readonly more: boolean };

/** A route that nobody else refers to yet. */
type ReceivedRoute = RouteConfig & { host?: string };

/**
 * The configuration in a file.
 *
 * @throws {UsageError} with one line for every problem, also where the file cannot be read
 */
export async function loadConfig(file: string, options?: ReadOptions): Promise<Config> {
  return decodeConfig(await readConfigFile(file, options), file);
}

/** The same, without blocking this thread for longer than a few milliseconds. */
export async function loadInBackground(file: string, options?: ReadOptions): Promise<Config> {
  const bytes = await readConfigFile(file, options);
  if (bytes.length <= SMALL_BYTES) return decodeConfig(bytes, file);
  using worker = new CheckWorker();
  const checked = await worker.request({ file, bytes });
  if ("problems" in checked) throw new UsageError(checked.problems);
  if (!("config" in checked)) throw new Error(`the check of ${file} replied out of turn`);
  return { ...checked.config, routes: await receiveRoutes(worker, file) };
}

async function readConfigFile(file: string, options: ReadOptions = {}): Promise<Uint8Array> {
  try {
    return await readBytes(file, { maxBytes: MAX_FILE_BYTES, ...options });
  } catch (error) {
    throw error instanceof ReadError ? new UsageError(error.message, { cause: error }) : error;
  }
}

async function receiveRoutes(worker: CheckWorker, file: string): Promise<RouteConfig[]> {
  const routes: RouteConfig[] = [];
  const hosts = new Map<string, string>();
  const slice = new TimeSlice();
  for (let more = true; more;) {
    const batch = await worker.request({ next: true });
    if (!("routes" in batch)) throw new Error(`the check of ${file} replied out of turn`);
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

/** The worker, one request at a time. */
class CheckWorker implements Disposable {
  readonly #worker = new Worker(new URL("./load_worker.ts", import.meta.url).href, { type: "module" });

  request(request: WorkerRequest): Promise<WorkerReply> {
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
