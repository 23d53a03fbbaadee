/** Deadlines that cost no timer each: all waits of one kind last equally long, so they expire in the order they began. */

import { LinkedList, ListNode } from "./linked_list.ts";

class Wait extends ListNode<Wait> {
  readonly at: number;
  readonly expire: (early?: Error) => void;

  constructor(at: number, expire: (early?: Error) => void) {
    super();
    this.at = at;
    this.expire = expire;
  }
}

/** Every wait of one kind, under one timer. */
export class Deadlines {
  /** How long each wait may last, in milliseconds. */
  readonly duration: number;
  readonly #waits = new LinkedList<Wait>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(duration: number) {
    this.duration = duration;
  }

  /**
   * Settles as `work` does, or rejects with `failure()` once `duration` has passed since this call. `work` itself goes
   * on; should it succeed after all, its result is handed to `discard`.
   */
  guard<T>(work: Promise<T>, failure: () => Error, discard?: (late: T) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait = new Wait(performance.now() + this.duration, (early) => reject(early ?? failure()));
      this.#add(wait);
      work.then((value) => {
        if (this.#waits.leave(wait)) resolve(value);
        else discard?.(value);
      }, (error) => {
        this.#waits.leave(wait);
        reject(error);
      });
    });
  }

  /** Number of waits. */
  get size(): number {
    return this.#waits.size;
  }

  /** Ends the wait that began first, by `failure` instead of its own. False where there is none. */
  expireFirst(failure: () => Error): boolean {
    const wait = this.#waits.first;
    if (!wait) return false;
    this.#waits.leave(wait);
    wait.expire(failure());
    return true;
  }

  /** Ends every wait now, as its deadline would. */
  expireAll(): void {
    for (const wait of this.#waits) {
      this.#waits.leave(wait);
      wait.expire();
    }
  }

  /** Stops the timer. What still waits is no longer limited. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const wait of this.#waits) this.#waits.leave(wait);
  }

  #add(wait: Wait): void {
    this.#waits.join(wait);
    this.#timer ??= setTimeout(() => this.#expire(), this.duration);
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    let wait = this.#waits.first;
    for (; wait && wait.at <= now; wait = this.#waits.first) {
      this.#waits.leave(wait);
      wait.expire();
    }
    if (wait) this.#timer = setTimeout(() => this.#expire(), Math.ceil(wait.at - now));
  }
}
