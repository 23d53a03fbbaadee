/** The number of workers, and the memory for their counts. */

import { type Config, DEFAULT_CONNECTIONS } from "../config/config.ts";
import { createSharedMemory, type SharedMemory } from "../shared/memory.ts";

type Workers = Pick<Config, "workers">;

/**
 * How many threads accept and relay. `auto` is one for each processor available to the process, and 1 on systems that
 * do not spread connections over threads.
 */
export function threadsOf({ workers }: Workers, os: typeof Deno.build.os = Deno.build.os): number {
  if (workers !== "auto") return workers;
  return spreads(os) ? navigator.hardwareConcurrency : 1;
}

/** Why several workers do not help on this system; undefined if they do. */
export function workersProblem(
  config: Workers,
  os: typeof Deno.build.os = Deno.build.os,
): string | undefined {
  if (spreads(os) || threadsOf(config, os) === 1) return undefined;
  return `workers: ${config.workers}: only Linux spreads connections over several threads, and this is ${os}: use 1`;
}

function spreads(os: typeof Deno.build.os): boolean {
  return os === "linux" || os === "android";
}

/** Memory for the counts of the workers and the main thread. */
export function memoryOf(config: Config): SharedMemory {
  const { connections = DEFAULT_CONNECTIONS } = config.limits;
  return createSharedMemory({ threads: threadsOf(config) + 1, connections });
}
