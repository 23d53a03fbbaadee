/** Checks servers at intervals, with one timer per server. */

import { sleep } from "../util/async.ts";

/** Jitter, as a part of the interval: many balancers must not check in step. */
const JITTER = 0.2;

/** Options of a checker. */
export interface CheckerOptions {
  /** Time between the starts of two checks, in milliseconds. */
  readonly interval: number;
  /** Receives the result: undefined if the check passed. */
  readonly report: (error?: Error) => void;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
}

/** Runs `check` at intervals until it is disposed of: first within one interval, and never concurrently. */
export class HealthChecker implements Disposable {
  readonly #check: (signal: AbortSignal) => Promise<void>;
  readonly #options: CheckerOptions;
  readonly #closed = new AbortController();

  /** @param check Rejects if the server failed. It must time out by itself, and stop when its signal is aborted. */
  constructor(check: (signal: AbortSignal) => Promise<void>, options: CheckerOptions) {
    this.#check = check;
    this.#options = options;
    void this.#run();
  }

  [Symbol.dispose](): void {
    this.#closed.abort();
  }

  async #run(): Promise<void> {
    const { interval, report, random = Math.random } = this.#options;
    const { signal } = this.#closed;
    await sleep(interval * random(), signal);
    while (!signal.aborted) {
      const started = performance.now();
      const error = await this.#check(signal).then(() => undefined, asError);
      if (signal.aborted) return;
      report(error);
      const next = interval * (1 - JITTER * random());
      await sleep(Math.max(0, started + next - performance.now()), signal);
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
