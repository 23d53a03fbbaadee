/** Deadlines that share a timer: those of one kind have the same duration, so they expire in the order they began. */

import { LinkedList, ListNode } from "./linked_list.ts";

/** A time limit on asynchronous work. */
export interface TimeLimit {
  /** The limit in milliseconds, for messages. */
  readonly duration: number;
  /**
   * Settles as `work` does, or rejects with `failure()` when the time is over. `work` itself continues; if it succeeds
   * later, its result is passed to `discard`. One `work` at a time.
   */
  guard<T>(work: Promise<T>, failure: () => Error, discard?: (late: T) => void): Promise<T>;
}

/** All deadlines of one kind, under one timer. */
export class Deadlines implements TimeLimit {
  /** Duration of each, in milliseconds. */
  readonly duration: number;
  readonly #running = new LinkedList<Deadline>();
  readonly #leave = (met: Deadline) => void this.#running.leave(met);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(duration: number) {
    this.duration = duration;
  }

  /** Number of running deadlines. */
  get size(): number {
    return this.#running.size;
  }

  /** Starts a deadline that several attempts can share. Dispose of it when the work is done. */
  start(): Deadline {
    const deadline = new Deadline(this.duration, this.#leave);
    this.#running.join(deadline);
    this.#timer ??= setTimeout(() => this.#expire(), this.duration);
    return deadline;
  }

  async guard<T>(work: Promise<T>, failure: () => Error, discard?: (late: T) => void): Promise<T> {
    using deadline = this.start();
    return await deadline.guard(work, failure, discard);
  }

  /** Expires every deadline now. */
  expireAll(): void {
    for (const deadline of this.#running) {
      this.#running.leave(deadline);
      deadline.expire();
    }
  }

  /** Stops the timer. Running work is no longer limited. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const deadline of this.#running) this.#running.leave(deadline);
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    let deadline = this.#running.first;
    for (; deadline && deadline.at <= now; deadline = this.#running.first) {
      this.#running.leave(deadline);
      deadline.expire();
    }
    if (deadline) this.#timer = setTimeout(() => this.#expire(), Math.ceil(deadline.at - now));
  }
}

/** One deadline: the time budget of one attempt, or of several in sequence. */
export class Deadline extends ListNode<Deadline> implements TimeLimit, Disposable {
  readonly duration: number;
  /** Expiry time, in milliseconds of `performance.now`. */
  readonly at: number;
  readonly #leave: (met: Deadline) => void;
  #fail: ((early?: Error) => void) | undefined;
  #early: Error | undefined;
  #expired = false;

  /** @param leave Removes it from the list that expires it. */
  constructor(duration: number, leave: (met: Deadline) => void) {
    super();
    this.duration = duration;
    this.at = performance.now() + duration;
    this.#leave = leave;
  }

  /** Whether the time is over. */
  get expired(): boolean {
    return this.#expired;
  }

  /** Remaining time, in milliseconds. */
  get left(): number {
    return this.#expired ? 0 : Math.max(0, this.at - performance.now());
  }

  guard<T>(work: Promise<T>, failure: () => Error, discard?: (late: T) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (early?: Error) => {
        const late = failure(); // which may cancel the work
        reject(early ?? late);
      };
      this.#fail = fail;
      work.then((value) => {
        if (this.#settle(fail)) resolve(value);
        else discard?.(value);
      }, (error) => {
        this.#settle(fail);
        reject(error);
      });
      if (this.#expired || this.#early) this.interrupt(this.#early);
    });
  }

  /** A limit of `ms` from now that never exceeds this deadline. */
  within(ms: number): TimeLimit {
    return ms < this.left ? new Share(this, ms) : this;
  }

  /**
   * Fails the running work, with `early` if given, and keeps the deadline running. Between two attempts the next one
   * fails with `early`.
   */
  interrupt(early?: Error): void {
    const fail = this.#fail;
    this.#fail = undefined;
    if (fail) fail(early);
    else this.#early = early;
  }

  /** Fails the running work and all later work. */
  expire(early?: Error): void {
    this.#expired = true;
    this.interrupt(early);
  }

  [Symbol.dispose](): void {
    this.#leave(this);
  }

  /** False if the work that `fail` belongs to has already failed. */
  #settle(fail: () => void): boolean {
    if (this.#fail !== fail) return false;
    this.#fail = undefined;
    return true;
  }
}

/** A part of a deadline, under a timer of its own. */
class Share implements TimeLimit {
  readonly duration: number;
  readonly #whole: Deadline;
  readonly #at: number;

  constructor(whole: Deadline, ms: number) {
    this.duration = Math.round(ms);
    this.#whole = whole;
    this.#at = performance.now() + ms;
  }

  async guard<T>(work: Promise<T>, failure: () => Error, discard?: (late: T) => void): Promise<T> {
    const guarded = this.#whole.guard(work, failure, discard);
    const timer = setTimeout(() => this.#whole.interrupt(), Math.max(0, this.#at - performance.now()));
    try {
      return await guarded;
    } finally {
      clearTimeout(timer);
    }
  }
}
