/** Ends a connection early, with a rejection where the client can still be told why. */

import type { Account, Closing } from "./registry.ts";
import { isDisconnect, messageOf, Refusal } from "../errors.ts";
import { encodeError } from "../frame/tlv.ts";
import { HandshakeError } from "../transport/tls/duplex.ts";
import { lingeringClose } from "../transport/linger.ts";
import { httpRefusal } from "../transport/websocket/accept.ts";

/** The end of a connection that said nothing. */
export const PROBE: Closing = { reason: "probe", closedBy: "client" };

/** What a client hears that comes while the balancer drains, or stays until its end. */
export const SHUTTING_DOWN = new Refusal("SHUTTING_DOWN", "the balancer is shutting down; connect again");

/** Ends a connection from outside, and says why where the client has got nothing from an upstream yet. */
export function dismiss(account: Account, closing: Closing, refusal: Refusal): void {
  // what has come from the upstream may be on its way to the client
  const untouched = account.down.read === 0;
  account.cut(closing, untouched ? () => sendRejection(account, refusal) : undefined);
}

async function sendRejection({ client, upgrading }: Account, refusal: Refusal): Promise<void> {
  const inHandshake = upgrading && client.transport !== "websocket";
  const otherwise = inHandshake ? httpRefusal(refusal) : encodeError(refusal.code, refusal.message);
  await lingeringClose(client, refusal.rejection ?? otherwise, refusal.reason);
}

/** Tells the client why, where it can be told, and gives how the connection ended. */
export async function refuse(account: Account, error: unknown): Promise<Closing> {
  if (error instanceof Refusal) {
    await account.reject(() => sendRejection(account, error));
    const detail = error.cause === undefined ? error.message : messageOf(error.cause);
    return { reason: error.reason, closedBy: "balancer", detail };
  }
  if (error instanceof HandshakeError) {
    return { reason: "BAD_FRAME", closedBy: "client", detail: error.message };
  }
  if (isDisconnect(error)) {
    return { reason: "client_reset", closedBy: "client", detail: messageOf(error) };
  }
  return { reason: "internal", closedBy: "balancer", detail: messageOf(error) };
}
