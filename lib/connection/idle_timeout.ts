/** Closes idle connections. */

import { type OnIdle, sweepRelays } from "../relay/sweep.ts";
import { durationText } from "../util/text.ts";
import type { Connection } from "./connection.ts";

/** Maximum time without a byte, in milliseconds; 0 is no limit. */
export interface IdleLimits {
  /** While both sides can still send. */
  readonly idle: number;
  /** After one of them has finished. */
  readonly half_close: number;
}

/** Interval between two sweeps, in milliseconds. */
const SWEEP_MS = { longest: 1000, shortest: 20 };

/** Sweeps per limit, so that it is exceeded by at most half of itself. */
const SWEEPS_PER_LIMIT = 4;

/** Called by each sweep for an idle `connection`: terminates it if it is over its limit. */
export function idleCheck(connection: Connection, { idle, half_close }: IdleLimits): OnIdle {
  return (time) => {
    const { up, down } = connection;
    const halfClosed = half_close > 0 && time >= half_close && (up.finished || down.finished);
    if (!halfClosed && (idle === 0 || time < idle)) return;
    const detail = halfClosed
      ? `one side had finished, and no byte moved for ${durationText(half_close)}`
      : `no byte moved for ${durationText(idle)}`;
    connection.terminate({ reason: "idle", closedBy: "balancer", detail });
  };
}

/**
 * One timer for all connections: each sweep compares a connection's byte counters with those of the previous one. So
 * reads and writes cost nothing, and a connection is closed up to two sweeps late, but never early.
 */
export class IdleTimeout implements Disposable {
  #timer: ReturnType<typeof setInterval> | undefined;
  #interval = Infinity;

  /** Makes sweeps frequent enough for `limits`. */
  ensureInterval({ idle, half_close }: IdleLimits): void {
    const shortest = Math.min(idle || Infinity, half_close || Infinity) / SWEEPS_PER_LIMIT;
    const interval = Math.max(SWEEP_MS.shortest, Math.min(SWEEP_MS.longest, shortest));
    if (interval >= this.#interval) return;
    clearInterval(this.#timer);
    this.#interval = interval;
    this.#timer = setInterval(() => sweepRelays(performance.now()), interval);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
