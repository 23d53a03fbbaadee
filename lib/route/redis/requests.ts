/** Look-ups under way: one for each ID however many wait for it, bounded in number and in time. */

import { Deadlines } from "../../util/deadlines.ts";
import { durationText } from "../../util/text.ts";
import { type Link, RedisError } from "./link.ts";

/** Most IDs that are looked up at a time: each takes some 500 bytes. */
const MOST_IDS = 10_000;

/** Most IDs in a request; Redis answers so many within half a millisecond. */
const MOST_IN_REQUEST = 500;

/** Most requests under way. IDs that come meanwhile go together into the next one. */
const MOST_REQUESTS = 4;

/** What the requests are made by. */
export interface RequestsOptions<T> {
  readonly read: (link: Link, ids: readonly string[]) => Promise<readonly (string | null)[]>;
  /** Turns a value into an answer. `epoch` is that of the moment when the value was asked for. */
  readonly answer: (id: string, value: string | null, epoch: number) => T;
  /** Another number whenever a value may have changed. */
  readonly epoch: () => number;
  /** Longest time for a look-up, in milliseconds. */
  readonly timeout: number;
}

interface Pending<T> {
  readonly id: string;
  readonly resolve: (answer: T) => void;
  readonly reject: (error: unknown) => void;
  answer?: Promise<T>;
  /** When it was sent; undefined while it waits. */
  epoch?: number;
}

/** See the top of the file. */
export class Requests<T> implements Disposable {
  readonly #options: RequestsOptions<T>;
  readonly #deadlines: Deadlines;
  /** By ID, those that wait to be sent and those that were. */
  readonly #pending = new Map<string, Pending<T>>();
  readonly #waiting = new Set<Pending<T>>();
  #link: Link | undefined;
  #underWay = 0;
  #sent = 0;
  #milliseconds = 0;

  constructor(options: RequestsOptions<T>) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.timeout);
  }

  /** Whether nobody waits for an answer. */
  get idle(): boolean {
    return this.#pending.size === 0;
  }

  /** Requests that were answered, and the time that they took together, in milliseconds. */
  get answered(): { readonly count: number; readonly milliseconds: number } {
    return { count: this.#sent, milliseconds: this.#milliseconds };
  }

  /** Looks `id` up, or waits for the look-up under way. @throws {RedisError} */
  get(id: string): Promise<T> {
    const same = this.#pending.get(id);
    // what was sent before a change may miss it
    if (same?.answer && (same.epoch === undefined || same.epoch === this.#options.epoch())) {
      return same.answer;
    }
    if (this.#pending.size >= MOST_IDS) {
      return Promise.reject(new RedisError(`${MOST_IDS} other IDs are being looked up`));
    }
    const answer = this.#add(id);
    this.#send();
    return answer;
  }

  /** Sends what waits, and all that follows, over `link`; without one it waits. */
  use(link: Link | undefined): void {
    this.#link = link;
    this.#send();
  }

  /** Fails what waits. */
  fail(reason: Error): void {
    for (const pending of this.#waiting) pending.reject(reason);
    this.#waiting.clear();
  }

  [Symbol.dispose](): void {
    this.#link = undefined;
    this.fail(new RedisError("the balancer does not use this Redis any more"));
    this.#deadlines.expireAll();
    this.#deadlines.close();
  }

  #add(id: string): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const pending: Pending<T> = { id, resolve, reject };
    this.#pending.set(id, pending);
    this.#waiting.add(pending);
    const late = () => new RedisError(`no answer within ${durationText(this.#options.timeout)}`);
    return pending.answer = this.#deadlines.guard(promise, late).finally(() => {
      this.#waiting.delete(pending);
      if (this.#pending.get(id) === pending) this.#pending.delete(id);
    });
  }

  #send(): void {
    while (this.#link && this.#waiting.size > 0 && this.#underWay < MOST_REQUESTS) {
      const batch = this.#waiting.values().take(MOST_IN_REQUEST).toArray();
      for (const pending of batch) this.#waiting.delete(pending);
      void this.#request(this.#link, batch);
    }
  }

  async #request(link: Link, batch: readonly Pending<T>[]): Promise<void> {
    const { read, answer, epoch: epochNow } = this.#options;
    const epoch = epochNow();
    for (const pending of batch) pending.epoch = epoch;
    this.#underWay += 1;
    const start = performance.now();
    try {
      const values = await read(link, batch.map(({ id }) => id));
      this.#sent += 1;
      this.#milliseconds += performance.now() - start;
      for (const [index, { id, resolve, reject }] of batch.entries()) {
        try {
          resolve(answer(id, values[index] ?? null, epoch));
        } catch (error) {
          reject(error);
        }
      }
    } catch {
      // the link is lost: they wait for the next one, or until connecting to it fails or their time is over
      for (const pending of batch) this.#wait(pending);
    } finally {
      this.#underWay -= 1;
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
