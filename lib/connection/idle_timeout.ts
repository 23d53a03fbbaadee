/** Closes idle connections. */

import { sweepStalls } from "../relay/stalls.ts";
import { LinkedList, ListNode } from "../util/linked_list.ts";
import type { Connection } from "./connection.ts";
import { durationText } from "../util/text.ts";

/** Longest time without a byte, in milliseconds; 0 is no limit. */
export interface IdleLimits {
  /** While both sides may still send. */
  readonly idle: number;
  /** Once one of them has finished. */
  readonly half_close: number;
}

/** Interval between two sweeps, in milliseconds. */
const SWEEP_MS = { longest: 1000, shortest: 20 };

/** Sweeps within the shortest limit, so that it is overrun by half of itself at most. */
const SWEEPS_PER_LIMIT = 4;

/** A connection under a limit, and what its counters were when they last changed. */
class Watched extends ListNode<Watched> implements Disposable {
  readonly #list: LinkedList<Watched>;
  readonly #connection: Connection;
  readonly #limits: IdleLimits;
  #moved = -1;
  #idleSince = 0;

  constructor(list: LinkedList<Watched>, connection: Connection, limits: IdleLimits) {
    super();
    this.#list = list;
    this.#connection = connection;
    this.#limits = limits;
    list.join(this);
  }

  [Symbol.dispose](): void {
    this.#list.leave(this);
  }

  /** Terminates the connection if it is over its limit at `now`. */
  check(now: number): void {
    const { idle, half_close } = this.#limits;
    const { up, down, client } = this.#connection;
    const moved = up.read + up.written + down.read + down.written + (client.keepalives ?? 0);
    if (moved !== this.#moved) {
      this.#moved = moved;
      this.#idleSince = now;
    }
    const time = now - this.#idleSince;
    const halfClosed = half_close > 0 && time >= half_close && (up.finished || down.finished);
    if (!halfClosed && (idle === 0 || time < idle)) return;
    const detail = halfClosed
      ? `one side had finished, and no byte moved for ${durationText(half_close)}`
      : `no byte moved for ${durationText(idle)}`;
    this.#connection.terminate({ reason: "idle", closedBy: "balancer", detail });
  }
}

/**
 * One timer for all connections: a sweep compares each one's byte counters with those of the sweep before. So a read
 * or a write costs nothing, and a connection ends up to two sweeps late, but never early.
 */
export class IdleTimeout implements Disposable {
  readonly #watched = new LinkedList<Watched>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #interval = Infinity;

  /** Sweeps often enough for `limits`, too. */
  ensureInterval({ idle, half_close }: IdleLimits): void {
    const shortest = Math.min(idle || Infinity, half_close || Infinity) / SWEEPS_PER_LIMIT;
    const interval = Math.max(SWEEP_MS.shortest, Math.min(SWEEP_MS.longest, shortest));
    if (interval >= this.#interval) return;
    clearInterval(this.#timer);
    this.#interval = interval;
    this.#timer = setInterval(() => this.sweep(performance.now()), interval);
  }

  /** Puts `connection` under `limits` until the result is disposed of. */
  watch(connection: Connection, limits: IdleLimits): Disposable {
    return new Watched(this.#watched, connection, limits);
  }

  /** Terminates what is over its limit at `now`, in milliseconds of `performance.now`. */
  sweep(now: number): void {
    sweepStalls(now);
    for (const watched of this.#watched) watched.check(now);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
