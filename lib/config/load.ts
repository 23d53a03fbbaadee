/** Loading a large configuration beside running connections: nothing waits for it. */

import { messageOf, UsageError } from "../errors.ts";
import { TimeSlice } from "../util/async.ts";
import type { Config, RouteConfig } from "./config.ts";
import { loadConfig } from "./parse.ts";

/** Up to this many bytes a file is parsed within a few milliseconds, sooner than a worker starts. */
const SMALL_BYTES = 16 << 10;

/** What the worker is asked: first to check the file, then for its routes, batch by batch. */
export type Ask = { readonly file: string } | { readonly next: true };

/** What it answers. All routes in one message would hold up the thread that takes them. */
export type Answer =
  | { readonly problems: readonly string[] }
  | { readonly config: Omit<Config, "routes"> }
  | { readonly routes: readonly Received[]; readonly more: boolean };

/** A route that belongs to nobody else yet. */
type Received = RouteConfig & { host: string };

/**
 * The configuration in a file, as `loadConfig` gives it.
 *
 * @throws {UsageError} where it cannot be read, or holds anything wrong
 */
export async function loadInBackground(file: string): Promise<Config> {
  if (await isSmall(file)) return await loadConfig(file);
  using checker = new Checker();
  const checked = await checker.ask({ file });
  if ("problems" in checked) throw new UsageError(checked.problems);
  if (!("config" in checked)) throw new Error(`the check of ${file} answered out of turn`);
  const routes: RouteConfig[] = [];
  const hosts = new Map<string, string>();
  const slice = new TimeSlice();
  for (let more = true; more;) {
    const batch = await checker.ask({ next: true });
    if (!("routes" in batch)) throw new Error(`the check of ${file} answered out of turn`);
    for (const route of batch.routes) {
      route.host = oneOf(hosts, route.host);
      routes.push(route);
    }
    more = batch.more;
    if (slice.over) await slice.rest();
  }
  return { ...checked.config, routes };
}

/** The same host stands in many routes: one text for all keeps what lives on small. */
function oneOf(texts: Map<string, string>, text: string): string {
  const known = texts.get(text);
  if (known === undefined) texts.set(text, text);
  return known ?? text;
}

/** What cannot be looked at is left to `loadConfig`, which says why. */
async function isSmall(file: string): Promise<boolean> {
  try {
    const { size, isFile } = await Deno.stat(file);
    return size <= SMALL_BYTES || !isFile;
  } catch {
    return true;
  }
}

/** The worker, one question at a time. */
class Checker implements Disposable {
  readonly #worker = new Worker(new URL("./load_worker.ts", import.meta.url).href, { type: "module" });

  ask(question: Ask): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data);
      this.#worker.onerror = (event) => {
        // else it would end the process
        event.preventDefault();
        reject(new Error(`the configuration could not be checked: ${messageOf(event.message)}`));
      };
      this.#worker.postMessage(question);
    });
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
