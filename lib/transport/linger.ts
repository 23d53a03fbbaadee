/** Closes a connection after a rejection, so that the rejection arrives. */

import { LinkedList, ListNode } from "../util/linked_list.ts";
import type { RefusalName } from "../errors.ts";
import { type Duplex, writeAll } from "./duplex.ts";

/** How long a refused client may take to read why and close: a few round trips on a poor link. */
const LINGER_MS = 2_000;

/** How much it may still send meanwhile before it is cut off. */
const LINGER_BYTES = 16 << 20;

/** Connections of the process that may linger at once. In a flood the one that has had the most time is closed for the next. */
export const LINGER_MOST = 500;

/** As many of this thread. */
let most = LINGER_MOST;

/** Tells how many threads the process has: this one has its part of the connections that may linger. */
export function shareLingering(threads: number): void {
  most = Math.ceil(LINGER_MOST / threads);
}

/** Shared by all connections whose transport does not parse its input. */
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
 * Sends `rejection` and shuts down the sending side, then reads and drops what the peer still sends until it closes
 * too, within `LINGER_MS` and `LINGER_BYTES`, and closes.
 *
 * A socket closed while input is unread is reset by the kernel, and the peer loses the last bytes written to it.
 * Never throws: a peer that is gone misses its rejection.
 *
 * @param reason Why the peer was refused, for a transport that has a code for it.
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
    // only after the rejection: a connection that is closed for the next has been told why, however many there are
    if (lingering.size >= most) cutOldest();
    lingering.join(place);
    await drop(duplex);
  } catch {
    // the peer has gone, or its time was up and the duplex is closed
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
