/** The other side of `background.ts`: reads and checks a configuration in a thread of its own. */

import { UsageError } from "../errors.ts";
import type { Answer, Ask } from "./load.ts";
import type { RouteConfig } from "./config.ts";
import { loadConfig } from "./parse.ts";

/** Routes handed over at a time: less than a millisecond's work for the thread that takes them. */
const BATCH = 250;

/** What a worker's global scope has and the types of a module don't know. */
const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<Ask>) => void;
  postMessage(answer: Answer): void;
};

let routes: readonly RouteConfig[] = [];
let handedOver = 0;

scope.onmessage = async ({ data }) => {
  if ("file" in data) return scope.postMessage(await check(data.file));
  const batch = routes.slice(handedOver, handedOver += BATCH);
  scope.postMessage({ routes: batch, more: handedOver < routes.length });
};

async function check(file: string): Promise<Answer> {
  try {
    const { routes: all, ...config } = await loadConfig(file);
    routes = all;
    return { config };
  } catch (error) {
    if (error instanceof UsageError) return { problems: error.problems };
    throw error;
  }
}
