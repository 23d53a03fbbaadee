/**
 * Sweeps over all relayed connections: how long each has been idle, and whether one has been reset unnoticed.
 *
 * A pump that waits for a write does not read, so it would learn of the sender's reset only once the receiver takes
 * more, perhaps never. The system tells it to a write of no bytes as well, which sends nothing: so nothing has to be
 * read ahead, and whatever the sender had left in the socket does not hide the reset.
 */

import { type Duplex, DuplexError, type Flow } from "../transport/duplex.ts";
import { LinkedList, ListNode } from "../util/linked_list.ts";

/**
 * How long nothing may have moved before a connection with bytes to deliver is probed, in milliseconds. Two sweeps a
 * second apart come on top. A receiver that pauses for less loses nothing of what came ahead of a reset.
 */
export const STALLED_MS = 2500;

/** Called by each sweep with the milliseconds for which neither a byte nor a keepalive has come. */
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

  /** Compares the counters with those of the sweep before. `now` is in milliseconds of `performance.now`. */
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

/** Sweeps over every relayed connection; called every second or more often. Costs a connection a few additions. */
export function sweepRelays(now: number): void {
  for (const relayed of relays) relayed.sweep(now);
}

/** Whether something that was read has not been written yet. */
function isStalled({ read, written }: Flow): boolean {
  return read > written;
}

/** @param back What moves towards `sender`. */
async function probe(relayed: Relayed, sender: Duplex, back: Flow): Promise<void> {
  // the system tells of a reset once, and a write that was under way may have been the one to hear of it
  if (relayed.broken?.duplex === sender && isReset(relayed.broken.cause)) return end(relayed);
  // a write that is under way will be the one to hear of it
  if (isStalled(back)) return;
  try {
    await sender.write(NOTHING);
  } catch (error) {
    // anything else than a reset follows an end that was sent before: what came ahead of that is still delivered
    if (!isReset(error)) return;
    relayed.broken ??= new DuplexError(sender, "write", error);
    end(relayed);
  }
}

const NOTHING = new Uint8Array();

function isReset(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset;
}

/** Closes both sides. A receiver that takes nothing would not take a word of what happened either. */
function end({ client, upstream }: Relayed): void {
  client.close();
  upstream.close();
}
