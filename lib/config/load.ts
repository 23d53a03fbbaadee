/** Loading the configuration's file, in a thread of its own if it is large. */

import { UsageError } from "../errors.ts";
import type { TableData } from "../tables/data.ts";
import { TimeSlice } from "../util/async.ts";
import { readBytes, ReadError, type ReadOptions } from "../util/read_file.ts";
import { CheckWorker } from "./check_worker.ts";
import type { Config, RouteConfig } from "./config.ts";
import { decodeConfig } from "./parse.ts";
import { buildTables, readTables, type Source, tablePaths } from "./tables.ts";

/** About 300,000 routes: more than are written by hand, and parsed within seconds. */
const MAX_FILE_BYTES = 16 << 20;

/** Largest file that is parsed without a worker: it takes a few milliseconds, less than a worker's start. */
const SMALL_BYTES = 16 << 10;

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
 * @throws {UsageError} with one line for every problem, also if the file cannot be read
 */
export async function loadConfig(file: string, options: LoadOptions = {}): Promise<Config> {
  const bytes = await readConfigFile(file, options);
  const config = decodeConfig(bytes, file);
  await options.onTables?.(tablePaths(config, file));
  if (config.tables.length === 0) return config;
  const text = await readTables(config, file);
  return { ...config, tableData: buildTables(config, text, { file, bytes }, options.previous) };
}

/**
 * Loads configurations without blocking this thread for longer than a few milliseconds, one at a time. Starting the
 * thread that checks them blocks this one for 20 milliseconds, and for far more on a busy machine, so it is kept for the
 * next time unless the file was large.
 */
export class BackgroundLoader implements Disposable {
  #worker: CheckWorker | undefined;

  /** Starts the thread, which otherwise starts when it is first needed. */
  start(): void {
    this.#worker ??= new CheckWorker();
  }

  /** As `loadConfig`. */
  async load(file: string, options: LoadOptions = {}): Promise<Config> {
    const bytes = await readConfigFile(file, options);
    const small = bytes.length <= SMALL_BYTES ? decodeConfig(bytes, file) : undefined;
    if (small?.tables.length === 0) {
      await options.onTables?.([]);
      return small;
    }
    if (this.#worker?.isBroken) this[Symbol.dispose]();
    const worker = this.#worker ??= new CheckWorker();
    try {
      return await loadBy(worker, { file, bytes }, options);
    } finally {
      // the memory for parsing a large file is freed only with the thread
      if (small) worker.release();
      else this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.#worker?.[Symbol.dispose]();
    this.#worker = undefined;
  }
}

async function loadBy(
  worker: CheckWorker,
  source: Source,
  { previous, onTables }: LoadOptions,
): Promise<Config> {
  const { file } = source;
  const { config } = await worker.ask(source, "config");
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
