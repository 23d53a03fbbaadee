/** Checks servers at intervals, each by a timer of its own. */

import { sleep } from "../util/async.ts";

/** The part of an interval by which a check may come early: many balancers must not check in step. */
const JITTER = 0.2;

/** Options of a checker. */
export interface CheckerOptions {
  /** Time between the starts of two checks, in milliseconds. */
  readonly interval: number;
  /** Takes the result: undefined where the check has passed. */
  readonly report: (error?: Error) => void;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
}

/** Runs `check` at intervals until it is disposed of: the first time within one interval, and never twice at a time. */
export class HealthChecker implements Disposable {
  readonly #check: (signal: AbortSignal) => Promise<void>;
  readonly #options: CheckerOptions;
  readonly #closed = new AbortController();

  /** @param check Rejects where the server has failed. It ends by itself, and at once when its signal is aborted. */
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
