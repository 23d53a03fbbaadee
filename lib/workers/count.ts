/** The number of workers. */

import type { Config } from "../config/config.ts";

/** How many threads accept and relay: `auto` is one for each processor that the process may use. */
export function threadsOf({ workers }: Pick<Config, "workers">): number {
  return workers === "auto" ? navigator.hardwareConcurrency : workers;
}
