/** Sends a client the reason for its refusal, in the protocol that it speaks at that moment. */

import { messageOf, Refusal } from "../errors.ts";
import { encodeError } from "../frame/tlv.ts";
import type { Closing } from "../observe/observer.ts";
import type { Duplex } from "../transport/duplex.ts";
import { lingeringClose } from "../transport/linger.ts";
import { httpRefusal } from "../transport/websocket/accept.ts";

/** The protocol of a rejection: none during a TLS handshake, HTTP during a WebSocket handshake, frames otherwise. */
export type Layer = "tls" | "http" | "frames";

/** For clients that connect while the balancer drains, or are still connected at its end. */
export const SHUTTING_DOWN = new Refusal("SHUTTING_DOWN", "the balancer is shutting down; connect again");

/** The closing of a refused connection. */
export function closingOf(refusal: Refusal): Closing {
  const detail = refusal.cause === undefined ? refusal.message : messageOf(refusal.cause);
  return { reason: refusal.reason, closedBy: "balancer", detail };
}

/** Sends `refusal` reliably, and closes `client`. Always resolves, once that is done. */
export async function sendRejection(client: Duplex, layer: Layer, refusal: Refusal): Promise<void> {
  if (layer === "tls") return client.close();
  const message = layer === "http" ? httpRefusal(refusal) : encodeError(refusal.code, refusal.message);
  await lingeringClose(client, refusal.rejection ?? message, refusal.reason);
}
