/** The deadlines of connections, by kind and duration. */

import { Deadlines } from "../util/deadlines.ts";

/** The event to wait for: the client's ID, or its upstream. */
export type TimeoutKind = "id" | "connect";

/** Every `Deadlines` in use. They outlive a reload, since connections keep those that they began with. */
export class Timeouts implements Disposable {
  readonly #deadlines = new Map<string, Deadlines>();

  /** @param duration In milliseconds. */
  of(kind: TimeoutKind, duration: number): Deadlines {
    const key = `${kind} ${duration}`;
    const deadlines = this.#deadlines.get(key) ?? new Deadlines(duration);
    this.#deadlines.set(key, deadlines);
    return deadlines;
  }

  /** Ends every wait now, as its deadline would. */
  expireAll(): void {
    for (const deadlines of this.#deadlines.values()) deadlines.expireAll();
  }

  [Symbol.dispose](): void {
    for (const deadlines of this.#deadlines.values()) deadlines.close();
  }
}
