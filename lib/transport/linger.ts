/** Closes a connection after a rejection, so that the rejection arrives. */

import { LinkedList, ListNode } from "../util/linked_list.ts";
import type { RefusalName } from "../errors.ts";
import { type Duplex, writeAll } from "./duplex.ts";

/** How long a client that is turned away may take to read why and close: a few round trips on a poor link. */
export const LINGER_MS = 2_000;

/** How much it may still send meanwhile before it is cut off. */
export const LINGER_BYTES = 16 << 20;

/** How many may linger at once: in a flood of them, the one that has had the most time is cut off for the next. */
export const LINGER_MOST = 500;

/** What is dropped needs no room of its own, unless the transport has to look for its end in it. */
const DROPPED = new Uint8Array(16 << 10);

class Lingering extends ListNode<Lingering> {
  readonly duplex: Duplex;

  constructor(duplex: Duplex) {
    super();
    this.duplex = duplex;
  }
}

const lingering = new LinkedList<Lingering>();

/**
 * Sends `rejection`, then shuts down the sending side, then reads and drops what the peer still sends until it closes too,
 * within `LINGER_MS` and `LINGER_BYTES`, and closes.
 *
 * A socket closed while input is unread is reset by the kernel, and the peer loses the last bytes written to it.
 * Never throws: a peer that is gone misses its rejection.
 *
 * @param reason Why the peer is turned away, for a transport that has a code for it.
 */
export async function lingeringClose(
  duplex: Duplex,
  rejection: Uint8Array,
  reason?: RefusalName,
): Promise<void> {
  const place = new Lingering(duplex);
  const timer = setTimeout(() => duplex.close(), LINGER_MS);
  try {
    await writeAll(duplex, rejection);
    await duplex.closeWrite(reason);
    // only now: whoever is cut off for the next has been told why, however many are turned away at one moment
    if (lingering.size >= LINGER_MOST) cutOldest();
    lingering.join(place);
    await drop(duplex);
  } catch {
    // the peer has gone, or its time was over and the duplex is closed: there is nobody left to tell
  } finally {
    clearTimeout(timer);
    lingering.leave(place);
    duplex.close();
  }
}

function cutOldest(): void {
  const oldest = lingering.first;
  if (!oldest) return;
  lingering.leave(oldest);
  oldest.duplex.close();
}

async function drop(duplex: Duplex): Promise<void> {
  const buffer = duplex.transport === "tcp" ? DROPPED : new Uint8Array(DROPPED.length);
  for (let dropped = 0; dropped < LINGER_BYTES;) {
    const count = await duplex.read(buffer);
    if (count === null) return;
    dropped += count;
  }
}
