/** Options for starting workers. */

import type { Observer } from "../observe/observer.ts";

/** Observers, callbacks and limits of the workers. */
export interface WorkersOptions {
  /** Observers of everything but connections, which each worker observes itself. */
  readonly observers: readonly Observer[];
  /** Whether connections are counted for metrics. */
  readonly counts: boolean;
  /** The version of Switchyard, for spans. */
  readonly version: string;
  /** Time without an answer after which a worker counts as dead and is replaced, in ms. @default 20 seconds */
  readonly silenceMs?: number;
  /**
   * How long to wait for a report of a worker, and for the end of its drain after `timeouts.drain`, in milliseconds.
   *
   * @default 3 seconds
   */
  readonly answerMs?: number;
  /** How long the thread of a dead worker may take to end, in milliseconds. @default 10 seconds */
  readonly endMs?: number;
  /** Called with the reason if the process should end: a worker hangs, and the platform cannot end it. */
  readonly onStuck: (problem: string) => void;
  /** The module that workers run. @default worker.ts in this folder */
  readonly script?: URL;
}

/** The same with defaults filled in. */
export function withDefaults(options: WorkersOptions): Required<WorkersOptions> {
  return { script: SCRIPT, silenceMs: SILENCE_MS, answerMs: ANSWER_MS, endMs: END_MS, ...options };
}

/** Far longer than a large table or a busy machine blocks a worker. */
const SILENCE_MS = 20_000;

/** Shorter than the timeouts of scrapes and of most probes. */
const ANSWER_MS = 3000;

/** The platform lets a thread finish its current work for two seconds. */
const END_MS = 10_000;

const SCRIPT = new URL("./worker.ts", import.meta.url);
