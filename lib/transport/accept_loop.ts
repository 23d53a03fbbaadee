/** An accept loop that outlives what peers and a full machine do to it. */

import { isDisconnect, isOwnClose, messageOf } from "../errors.ts";
import { sleep } from "../util/async.ts";

/** Pauses while the machine lacks resources, in milliseconds: the first, and the longest after doubling. */
const PAUSE_MS = { first: 20, longest: 1000 };

/** After so long without a failure the next one counts as another burst, in milliseconds. */
const BURST_MS = 10_000;

/** What an accept loop needs of a listener. */
export interface Acceptor<T> {
  accept(): Promise<T>;
}

/**
 * Hands each accepted connection to `serve` until the listener is closed.
 *
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
  for (;;) {
    try {
      serve(await listener.accept());
      pause = 0;
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
