/** Moves bytes both ways until both sides are done. */

import { isOwnClose, Refusal, type RefusalName } from "../errors.ts";
import { type Duplex, DuplexError, type Flow } from "../transport/duplex.ts";
import { DuplexReadable } from "../transport/streams.ts";
import { type OnIdle, Relayed, relays } from "./sweep.ts";

/** One side of the balancer. */
export type Side = "client" | "upstream";

/** How a relayed connection ended. */
export interface Ending {
  readonly reason: "client_fin" | "upstream_fin" | "client_reset" | "upstream_reset" | RefusalName;
  /** The side that ended it: the first to finish sending, or the one whose connection broke; or the balancer. */
  readonly closedBy: Side | "balancer";
  /** The error that broke it, if any. */
  readonly cause?: unknown;
}

/** The pipes move bytes; the relay decides when to close. */
const MOVE_ONLY: StreamPipeOptions = { preventClose: true, preventAbort: true, preventCancel: true };

/**
 * Relays both ways until both sides have finished. The end of one direction is passed on at once, while the other
 * continues.
 *
 * A failed read means that the side has broken: both are closed. After a failed write the side may still have sent
 * data, which is delivered first. After a normal end the caller closes both.
 *
 * @param up Counts the bytes from client to upstream.
 * @param down Counts the bytes from upstream to client.
 * @param onIdle Called by each sweep, to close an idle connection.
 */
export async function relay(
  client: Duplex,
  upstream: Duplex,
  up: Flow,
  down: Flow,
  onIdle?: OnIdle,
): Promise<Ending> {
  const relayed = new Relayed(client, upstream, up, down, onIdle);
  relays.join(relayed);
  const sending = move(relayed, client, upstream, up);
  await move(relayed, upstream, client, down);
  await sending;
  relays.leave(relayed);
  return endingOf(relayed);
}

/** Relays one direction until it ends. Never rejects. */
async function move(relayed: Relayed, from: Duplex, to: Duplex, flow: Flow): Promise<void> {
  try {
    await new DuplexReadable(from, flow).pipeTo(to, MOVE_ONLY);
    await finish(relayed, from, to);
  } catch (error) {
    await fail(relayed, from, error instanceof DuplexError ? error : new DuplexError(to, "write", error));
  }
}

/** Passes the end on. If the other direction has ended too, a plain FIN is left to the caller's `close`. */
async function finish(relayed: Relayed, from: Duplex, to: Duplex): Promise<void> {
  if (relayed.finished && to.transport === "tcp" && !to.secure) return;
  relayed.finished ??= from;
  await to.closeWrite();
}

async function fail(relayed: Relayed, from: Duplex, error: DuplexError): Promise<void> {
  relayed.broken ??= error;
  // code that closes this side closes the other one too, which may still receive a rejection
  if (error.duplex !== from || isOwnClose(error.cause)) return;
  await Promise.all([relayed.client.abort(), relayed.upstream.abort()]);
}

function endingOf({ client, finished, broken }: Relayed): Ending {
  const sideOf = (duplex: unknown): Side => duplex === client ? "client" : "upstream";
  if (!broken) {
    const closedBy = sideOf(finished);
    return { reason: `${closedBy}_fin`, closedBy };
  }
  const { duplex, cause } = broken;
  if (cause instanceof Refusal) return { reason: cause.reason, closedBy: "balancer", cause };
  const closedBy = sideOf(duplex);
  return { reason: `${closedBy}_reset`, closedBy, cause };
}
