/** An accept loop that survives resets and a lack of resources, and leaves time for open connections. */

import { isDisconnect, isOwnClose, messageOf } from "../errors.ts";
import { sleep } from "../util/async.ts";

/** Pauses while resources are lacking, in milliseconds: the first, and the longest after doubling. */
const PAUSE_MS = { first: 20, longest: 1000 };

/** Failures that are further apart, in milliseconds, belong to different bursts. */
const BURST_MS = 10_000;

/**
 * Connections accepted per turn of the event loop. If more than about 128 sockets are ready in one turn, the platform
 * can pass over some of them repeatedly, for more than a second (docs/performance.md).
 */
const ACCEPTS_A_TURN = 48;

/** Pause after that many, in milliseconds, and how often it is repeated while the event loop is late. */
const REST = { ms: 4, most: 10 };

/** The part of a listener that an accept loop needs. */
export interface Acceptor<T> {
  accept(): Promise<T>;
}

/**
 * Hands each accepted connection to `serve` until the listener is closed.
 *
 * Waiting connections are accepted in batches, with a pause after each; the system's backlog holds the others. If a
 * peer resets its connection before it is accepted, only that `accept` fails, and the next follows at once. Other
 * failures (no open files, no memory) persist, so the loop pauses, and calls `onPause` once per burst.
 */
export async function acceptEach<T>(
  listener: Acceptor<T>,
  serve: (conn: T) => void,
  options: { onPause?: (problem: string) => void } = {},
): Promise<void> {
  let pause = 0;
  let burstEnd = 0;
  let accepted = 0;
  for (;;) {
    try {
      serve(await listener.accept());
      pause = 0;
      // counts per turn; the callback is set only from half of the limit on, which spares most connections its cost
      if (++accepted === ACCEPTS_A_TURN / 2) setImmediate(() => accepted = 0);
      if (accepted >= ACCEPTS_A_TURN) await rest();
    } catch (error) {
      if (isOwnClose(error)) return;
      if (isDisconnect(error)) continue;
      // each connection that ends lets one in before the next failure: that is still the same burst
      if (performance.now() >= burstEnd) options.onPause?.(messageOf(error));
      burstEnd = performance.now() + BURST_MS;
      pause = Math.min(pause * 2 || PAUSE_MS.first, PAUSE_MS.longest);
      await sleep(pause);
    }
  }
}

/** Pauses until the event loop is on time again. */
async function rest(): Promise<void> {
  for (let times = 0; times < REST.most; times++) {
    const begun = performance.now();
    await sleep(REST.ms);
    if (performance.now() - begun < 2 * REST.ms) return;
  }
}
