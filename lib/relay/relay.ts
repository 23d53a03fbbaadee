/** Moving bytes both ways until both sides are done. */

import { isOwnClose, Refusal, type RefusalName } from "../errors.ts";
import { type Duplex, DuplexError } from "../transport/duplex.ts";

/** Which side of the balancer. */
export type Side = "client" | "upstream";

/** How a relayed connection ended. */
export interface Ending {
  readonly reason: "client_fin" | "upstream_fin" | "client_reset" | "upstream_reset" | RefusalName;
  /** The side that ended it: the first to finish sending, or the one whose connection broke; or who could not go on. */
  readonly closedBy: Side | "balancer";
  /** What broke it, where something did. */
  readonly cause?: unknown;
}

/** Bytes are moved, and closing is decided here. */
const MOVE_ONLY: StreamPipeOptions = { preventClose: true, preventAbort: true, preventCancel: true };

/**
 * Sends all that either side sends to the other, until both have finished. The end of one direction is passed on at
 * once, and the other goes on.
 *
 * A side that can't be read any more has broken, and both are closed. A side that can't be written to may still have
 * sent something: that is delivered first. Closing after a normal end is left to the caller.
 */
export async function relay(client: Duplex, upstream: Duplex): Promise<Ending> {
  const relaying = new Relaying(client, upstream);
  const up = relaying.move(client, upstream);
  await relaying.move(upstream, client);
  await up;
  return relaying.ending();
}

class Relaying {
  readonly #client: Duplex;
  readonly #upstream: Duplex;
  #finished: Duplex | undefined;
  #broken: DuplexError | undefined;

  constructor(client: Duplex, upstream: Duplex) {
    this.#client = client;
    this.#upstream = upstream;
  }

  /** One direction, to its end. Never rejects. */
  async move(from: Duplex, to: Duplex): Promise<void> {
    try {
      await from.readable.pipeTo(to, MOVE_ONLY);
      await this.#finish(from, to);
    } catch (error) {
      await this.#break(error instanceof DuplexError ? error : new DuplexError(to, "write", error), from);
    }
  }

  ending(): Ending {
    const side = (duplex: unknown): Side => duplex === this.#client ? "client" : "upstream";
    if (this.#broken) {
      const { duplex, cause } = this.#broken;
      if (cause instanceof Refusal) return { reason: cause.reason, closedBy: "balancer", cause };
      const closedBy = side(duplex);
      return { reason: `${closedBy}_reset`, closedBy, cause };
    }
    const closedBy = side(this.#finished);
    return { reason: `${closedBy}_fin`, closedBy };
  }

  /** Passes the end on, unless the other direction has ended too and the caller's closing both does it. */
  async #finish(from: Duplex, to: Duplex): Promise<void> {
    from.finished = true;
    if (this.#finished && to.closeFinishes) return;
    this.#finished ??= from;
    await to.closeWrite();
  }

  async #break(error: DuplexError, from: Duplex): Promise<void> {
    this.#broken ??= error;
    // whoever closed this side from here has a plan for the other one too, such as a last word
    if (error.duplex !== from || isOwnClose(error.cause)) return;
    await Promise.all([this.#client.abort(), this.#upstream.abort()]);
  }
}
