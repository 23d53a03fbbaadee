/** Ending a connection with a last word that arrives. */

import { type Duplex, writeAll } from "./duplex.ts";

/** How long a client that is turned away may take to read why and close: a few round trips on a poor link. */
export const LINGER_MS = 2_000;

/** How much it may still send meanwhile before it is cut off. */
export const LINGER_BYTES = 16 << 20;

/**
 * Sends `last`, then shuts down the sending side, then reads and drops what the peer still sends until it closes too,
 * within `LINGER_MS` and `LINGER_BYTES`, and closes.
 *
 * A socket closed while input is unread is reset by the kernel, and the peer loses the last bytes written to it.
 * Never throws: a peer that is gone misses its last word.
 */
export async function turnAway(duplex: Duplex, last: Uint8Array): Promise<void> {
  const timer = setTimeout(() => duplex.close(), LINGER_MS);
  try {
    await writeAll(duplex, last);
    await duplex.closeWrite();
    await drop(duplex);
  } catch {
    // the peer has gone, or the timer has closed the duplex: there is nobody left to tell
  } finally {
    clearTimeout(timer);
    duplex.close();
  }
}

async function drop(duplex: Duplex): Promise<void> {
  const buffer = new Uint8Array(16 << 10);
  for (let dropped = 0; dropped < LINGER_BYTES;) {
    const count = await duplex.read(buffer);
    if (count === null) return;
    dropped += count;
  }
}
