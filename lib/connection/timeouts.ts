/** The deadlines of connections, by kind and duration. */

import { Deadlines } from "../util/deadlines.ts";

/** What a connection waits for: its client's ID, or its upstream. */
export type TimeoutKind = "id" | "connect";

/** All `Deadlines` in use. They survive reloads, since connections keep the timeouts that they started with. */
export class Timeouts implements Disposable {
  readonly #deadlines = new Map<string, Deadlines>();

  /** @param duration In milliseconds. */
  of(kind: TimeoutKind, duration: number): Deadlines {
    const key = `${kind} ${duration}`;
    const deadlines = this.#deadlines.get(key) ?? new Deadlines(duration);
    this.#deadlines.set(key, deadlines);
    return deadlines;
  }

  /** Ends every wait now, like its deadline. */
  expireAll(): void {
    for (const deadlines of this.#deadlines.values()) deadlines.expireAll();
  }

  [Symbol.dispose](): void {
    for (const deadlines of this.#deadlines.values()) deadlines.close();
  }
}
