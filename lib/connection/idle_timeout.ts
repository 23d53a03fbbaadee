/** Ends connections on which nothing has moved for too long. */

import type { Account, Ledger, QuietLimits } from "./registry.ts";

import { sweepStalls } from "../relay/stalls.ts";

/** How often every connection is looked at, at most and at least, in milliseconds. */
const LOOK_MS = { longest: 1000, shortest: 20 };

/** A limit is overrun by half of itself at most: two looks. */
const LOOKS_PER_LIMIT = 4;

/**
 * One timer for all connections: it compares each one's byte counters with those of its last look. So a read or a
 * write costs nothing, and a connection ends up to two looks late, but never early.
 */
export class QuietWatch {
  readonly #ledger: Ledger;
  #timer: ReturnType<typeof setInterval> | undefined;
  #interval = Infinity;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Looks often enough for connections under `limits`, too. */
  cover({ idle, half_close }: QuietLimits): void {
    const shortest = Math.min(idle || Infinity, half_close || Infinity) / LOOKS_PER_LIMIT;
    const interval = Math.max(LOOK_MS.shortest, Math.min(LOOK_MS.longest, shortest));
    if (interval >= this.#interval) return;
    this.close();
    this.#interval = interval;
    this.#timer = setInterval(() => this.look(performance.now()), interval);
  }

  /** Ends what has been quiet for too long by `now`. */
  look(now: number): void {
    sweepStalls(now);
    for (const account of this.#ledger.accounts()) {
      if (account.quiet) endIfQuiet(account, account.quiet, now);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function endIfQuiet(account: Account, { idle, half_close }: QuietLimits, now: number): void {
  const quiet = now - account.quietSince(now);
  const half = half_close > 0 && quiet >= half_close && isHalfClosed(account);
  if (!half && (idle === 0 || quiet < idle)) return;
  const detail = half
    ? `one side had finished, and nothing moved for ${half_close} ms`
    : `nothing moved for ${idle} ms`;
  account.cut({ reason: "idle", closedBy: "balancer", detail });
}

function isHalfClosed({ up, down }: Account): boolean {
  return up.finished || down.finished;
}
