/**
 * Sweeps over all relayed connections: how long each has been idle, and whether one was reset unnoticed.
 *
 * A pump that waits for a write does not read, so it would notice a reset by the sender only when the receiver accepts
 * more, perhaps never. An empty write to the sender fails after a reset, and sends nothing: so no read-ahead is needed,
 * and unread data in the socket does not hide the reset.
 */

import { type Duplex, DuplexError, type Flow } from "../transport/duplex.ts";
import { LinkedList, ListNode } from "../util/linked_list.ts";

/**
 * How long a connection with undelivered bytes must be stalled before it is probed, in milliseconds. Two sweeps a
 * second apart come on top. A receiver that pauses for less loses no data that was sent before a reset.
 */
export const STALLED_MS = 2500;

/** Called by each sweep with the milliseconds since the last byte or keepalive. */
export type OnIdle = (milliseconds: number) => void;

/** A relayed connection while it runs. */
export class Relayed extends ListNode<Relayed> {
  readonly client: Duplex;
  readonly upstream: Duplex;
  readonly up: Flow;
  readonly down: Flow;
  readonly #onIdle: OnIdle | undefined;
  /** The side that finished sending first. */
  finished: Duplex | undefined = undefined;
  /** The first failure. */
  broken: DuplexError | undefined = undefined;
  #moved = -1;
  #movedAt = 0;
  #keepalives = 0;
  #idleSince = 0;

  constructor(client: Duplex, upstream: Duplex, up: Flow, down: Flow, onIdle?: OnIdle) {
    super();
    this.client = client;
    this.upstream = upstream;
    this.up = up;
    this.down = down;
    this.#onIdle = onIdle;
  }

  /** Compares the counters with those of the previous sweep. `now` is in milliseconds of `performance.now`. */
  sweep(now: number): void {
    const { client, upstream, up, down } = this;
    const moved = up.read + up.written + down.read + down.written;
    const keepalives = client.keepalives ?? 0;
    if (moved !== this.#moved || keepalives !== this.#keepalives) this.#idleSince = now;
    if (moved !== this.#moved) this.#movedAt = now;
    this.#moved = moved;
    this.#keepalives = keepalives;
    if (now - this.#movedAt >= STALLED_MS) {
      if (isStalled(up)) void probe(this, client, down);
      if (isStalled(down)) void probe(this, upstream, up);
    }
    this.#onIdle?.(now - this.#idleSince);
  }
}

/** Every relayed connection of this thread. */
export const relays = new LinkedList<Relayed>();

/** Sweeps over every relayed connection; called every second or more often. Costs a few additions per connection. */
export function sweepRelays(now: number): void {
  for (const relayed of relays) relayed.sweep(now);
}

/** Whether bytes that were read have not been written yet. */
function isStalled({ read, written }: Flow): boolean {
  return read > written;
}

/** @param back The flow towards `sender`. */
async function probe(relayed: Relayed, sender: Duplex, back: Flow): Promise<void> {
  // the system reports a reset once, and a pending write may have been the one to get it
  if (relayed.broken?.duplex === sender && isReset(relayed.broken.cause)) return end(relayed);
  // a pending write will get the error
  if (isStalled(back)) return;
  try {
    await sender.write(NOTHING);
  } catch (error) {
    // other errors follow a regular end: data sent before it is still delivered
    if (!isReset(error)) return;
    relayed.broken ??= new DuplexError(sender, "write", error);
    end(relayed);
  }
}

const NOTHING = new Uint8Array();

function isReset(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset;
}

/** Closes both sides. A receiver that accepts nothing would not accept a rejection either. */
function end({ client, upstream }: Relayed): void {
  client.close();
  upstream.close();
}
