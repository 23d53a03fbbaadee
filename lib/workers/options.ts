/** How workers are started. */

import type { Observer } from "../observe/observer.ts";

/** What else has a part in it, and who is told of what happens to servers and to the configuration. */
export interface WorkersOptions {
  /** Told of everything but what happens to connections, which each worker has observers for. */
  readonly observers: readonly Observer[];
  /** Whether what happens to connections is counted, for metrics. */
  readonly counts: boolean;
  /** The version that spans are marked with. */
  readonly version: string;
  /** After how much silence a worker is taken for dead and replaced, in milliseconds. @default 20 seconds */
  readonly silenceMs?: number;
  /** How long the thread of a dead worker may take to end, in milliseconds. @default 10 seconds */
  readonly endMs?: number;
  /** Told why the process should end: one of the workers hangs, and the platform cannot end it. */
  readonly onStuck: (problem: string) => void;
  /** The module that workers run; tests replace it. @default that of this folder */
  readonly script?: URL;
}

/** The same with defaults filled in. */
export function withDefaults(options: WorkersOptions): Required<WorkersOptions> {
  return { script: SCRIPT, silenceMs: SILENCE_MS, endMs: END_MS, ...options };
}

/** Far more than a large table or a busy machine holds a worker up. */
const SILENCE_MS = 20_000;

/** The platform lets a thread finish what it does for two seconds. */
const END_MS = 10_000;

const SCRIPT = new URL("./worker.ts", import.meta.url);
