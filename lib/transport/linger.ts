/** Closes a refused connection in a way that delivers the rejection (lingering close). */

import { LinkedList, ListNode } from "../util/linked_list.ts";
import type { RefusalName } from "../errors.ts";
import { type Duplex, writeAll } from "./duplex.ts";

/** Maximum time for a refused client to read the rejection and close: a few round trips on a slow link. */
const LINGER_MS = 2_000;

/** Maximum number of bytes that it may send meanwhile. */
const LINGER_BYTES = 16 << 20;

/** Lingering connections of the process at a time. In a flood the oldest is closed for the next. */
export const LINGER_MOST = 500;

/** Lingering connections of this thread at a time. */
let most = LINGER_MOST;

/** Sets the number of threads in the process, among which the lingering connections are divided. */
export function shareLingering(threads: number): void {
  most = Math.ceil(LINGER_MOST / threads);
}

/** Receives dropped bytes of all connections whose transport does not parse its input. */
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
 * Sends `rejection`, shuts down the sending side, then reads and drops the peer's data until it closes too, for at most
 * `LINGER_MS` and `LINGER_BYTES`, and closes.
 *
 * If a socket is closed with unread input, the kernel resets it, and the peer loses the last bytes written to it. Never
 * throws: a peer that is gone misses its rejection.
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
    // only after the rejection was sent, so that every client gets one
    if (lingering.size >= most) cutOldest();
    lingering.join(place);
    await drop(duplex);
  } catch {
    // the peer is gone, or its time was over and the duplex was closed
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
