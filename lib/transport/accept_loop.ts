/** An accept loop that survives what peers and a full machine do to it, and leaves the open connections their turn. */

import { isDisconnect, isOwnClose, messageOf } from "../errors.ts";
import { sleep } from "../util/async.ts";

/** Pauses while the machine lacks resources, in milliseconds: the first, and the longest after doubling. */
const PAUSE_MS = { first: 20, longest: 1000 };

/** After so long without a failure the next one counts as another burst, in milliseconds. */
const BURST_MS = 10_000;

/**
 * Connections accepted in one turn of the event loop. Where more than about 128 sockets are ready in one turn, the
 * platform can pass over some of them again and again, for more than a second (docs/performance.md).
 */
const ACCEPTS_A_TURN = 48;

/** Pause after so many, in milliseconds, and how often it is repeated while the event loop is late. */
const REST = { ms: 4, most: 10 };

/** What an accept loop needs of a listener. */
export interface Acceptor<T> {
  accept(): Promise<T>;
}

/**
 * Hands each accepted connection to `serve` until the listener is closed.
 *
 * Many that wait at once are accepted in batches, with a pause after each; the system's backlog holds the others.
 * A peer that resets its connection before it is accepted fails that one `accept`: the next is tried at once. Anything
 * else (open files used up, no memory) lasts, so the loop pauses, and `onPause` hears of it once a burst.
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
      // counting begins anew with each turn, but only from the middle on: that spares most connections the callback
      if (++accepted === ACCEPTS_A_TURN / 2) setImmediate(() => accepted = 0);
      if (accepted >= ACCEPTS_A_TURN) await rest();
    } catch (error) {
      if (isOwnClose(error)) return;
      if (isDisconnect(error)) continue;
      // each connection that ends lets one more in, and the next one fails again: that is still the same burst
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
