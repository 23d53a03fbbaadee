/** Pending look-ups: one per ID however many clients wait for it, bounded in number and time. */

import { durationText } from "../../util/text.ts";
import { type Link, RedisError } from "./link.ts";

/** Most IDs that are looked up at a time: each takes about 500 bytes. */
const MOST_IDS = 10_000;

/** Most IDs per request; Redis answers that many within half a millisecond. */
const MOST_IN_REQUEST = 500;

/**
 * Minimum time between two requests, in milliseconds. One is sent at a time, and IDs that arrive meanwhile share the
 * next: at 5,000 connections a second, one request per ID took a third more processor time.
 */
const SPACING_MS = 1;

/** Options of the requests. */
export interface RequestsOptions<T> {
  readonly read: (link: Link, ids: readonly string[]) => Promise<readonly (string | null)[]>;
  /** Turns a value into an answer. `epoch` is the epoch in which the value was requested. */
  readonly answer: (id: string, value: string | null, epoch: number) => T;
  /** The current epoch: it differs whenever a value may have changed. */
  readonly epoch: () => number;
  /** Maximum time for a look-up, in milliseconds. */
  readonly timeout: number;
}

interface Pending<T> {
  readonly id: string;
  readonly answer: Promise<T>;
  readonly resolve: (answer: T) => void;
  readonly reject: (error: unknown) => void;
  /** When it times out, in milliseconds of `performance.now`. */
  readonly until: number;
  /** The epoch in which it was sent; undefined while it waits to be sent. */
  epoch?: number;
}

/** Look-ups that wait for Redis, batched into requests. */
export class Requests<T> implements Disposable {
  readonly #options: RequestsOptions<T>;
  /** By ID, both waiting and sent ones, oldest first. */
  readonly #pending = new Map<string, Pending<T>>();
  readonly #waiting = new Set<Pending<T>>();
  #link: Link | undefined;
  #underWay = false;
  #sentAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** One timer for all IDs: their timeouts are equally long. */
  #expiry: ReturnType<typeof setTimeout> | undefined;
  #sent = 0;
  #milliseconds = 0;

  constructor(options: RequestsOptions<T>) {
    this.#options = options;
  }

  /** Whether no look-up is pending. */
  get idle(): boolean {
    return this.#pending.size === 0;
  }

  /** Answered requests, and their total time in milliseconds. */
  get answered(): { readonly count: number; readonly milliseconds: number } {
    return { count: this.#sent, milliseconds: this.#milliseconds };
  }

  /** Looks `id` up, or joins its pending look-up. @throws {RedisError} */
  get(id: string): Promise<T> {
    const same = this.#pending.get(id);
    // a look-up sent before a change may miss it
    if (same && (same.epoch === undefined || same.epoch === this.#options.epoch())) {
      return same.answer;
    }
    if (this.#pending.size >= MOST_IDS) {
      return Promise.reject(new RedisError(`${MOST_IDS} other IDs are being looked up`));
    }
    const answer = this.#add(id);
    this.#send();
    return answer;
  }

  /** Sends waiting and further look-ups over `link`; undefined makes them wait. */
  use(link: Link | undefined): void {
    this.#link = link;
    this.#send();
  }

  /** Fails the look-ups that wait to be sent. */
  fail(reason: Error): void {
    for (const pending of this.#waiting) this.#settle(pending).reject(reason);
  }

  [Symbol.dispose](): void {
    this.#link = undefined;
    clearTimeout(this.#timer);
    clearTimeout(this.#expiry);
    const reason = new RedisError("the balancer no longer uses this Redis");
    for (const pending of this.#pending.values()) this.#settle(pending).reject(reason);
  }

  #add(id: string): Promise<T> {
    const { promise: answer, resolve, reject } = Promise.withResolvers<T>();
    const { timeout } = this.#options;
    const pending: Pending<T> = { id, answer, resolve, reject, until: performance.now() + timeout };
    // moves it behind older ones, also when it replaces one that was sent
    this.#pending.delete(id);
    this.#pending.set(id, pending);
    this.#waiting.add(pending);
    this.#expiry ??= setTimeout(() => this.#expire(), timeout);
    return answer;
  }

  /** Removes `pending`, which is about to be answered. */
  #settle(pending: Pending<T>): Pending<T> {
    this.#waiting.delete(pending);
    if (this.#pending.get(pending.id) === pending) this.#pending.delete(pending.id);
    return pending;
  }

  /** Fails the look-ups that have timed out. */
  #expire(): void {
    this.#expiry = undefined;
    const now = performance.now();
    for (const pending of this.#pending.values()) {
      if (pending.until > now) {
        this.#expiry = setTimeout(() => this.#expire(), Math.ceil(pending.until - now));
        return;
      }
      const late = `no answer within ${durationText(this.#options.timeout)}`;
      this.#settle(pending).reject(new RedisError(late));
    }
  }

  /** Sends waiting look-ups, at the earliest `SPACING_MS` after the last request. */
  #send(): void {
    if (!this.#link || this.#underWay || this.#timer !== undefined || this.#waiting.size === 0) return;
    if (performance.now() - this.#sentAt < SPACING_MS) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#sendNow();
      }, SPACING_MS);
    } else this.#sendNow();
  }

  #sendNow(): void {
    if (!this.#link || this.#waiting.size === 0) return;
    this.#sentAt = performance.now();
    const batch = this.#waiting.values().take(MOST_IN_REQUEST).toArray();
    for (const pending of batch) this.#waiting.delete(pending);
    void this.#request(this.#link, batch);
  }

  async #request(link: Link, batch: readonly Pending<T>[]): Promise<void> {
    const { read, answer, epoch: epochNow } = this.#options;
    const epoch = epochNow();
    for (const pending of batch) pending.epoch = epoch;
    this.#underWay = true;
    const start = performance.now();
    try {
      const values = await read(link, batch.map(({ id }) => id));
      this.#sent += 1;
      this.#milliseconds += performance.now() - start;
      for (const [index, pending] of batch.entries()) {
        this.#settle(pending);
        try {
          pending.resolve(answer(pending.id, values[index] ?? null, epoch));
        } catch (error) {
          pending.reject(error);
        }
      }
    } catch {
      // the link is lost: wait for the next one, until connecting fails or the time is over
      for (const pending of batch) this.#wait(pending);
    } finally {
      this.#underWay = false;
      this.#send();
    }
  }

  #wait(pending: Pending<T>): void {
    if (this.#pending.get(pending.id) !== pending) {
      return pending.reject(new RedisError("the connection was lost"));
    }
    delete pending.epoch;
    this.#waiting.add(pending);
  }
}
