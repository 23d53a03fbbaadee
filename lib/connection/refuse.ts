/** Turns an error on the path into the end of its connection. */

import { isDisconnect, messageOf, Refusal } from "../errors.ts";
import type { Closing } from "../observe/observer.ts";
import { HandshakeError } from "../transport/tls/duplex.ts";
import type { Connection } from "./connection.ts";
import { closingOf } from "./rejection.ts";
import type { Ending } from "../relay/relay.ts";

/** Sends the client the reason, if that is possible, and returns how the connection ended. */
export async function refuse(connection: Connection, error: unknown): Promise<Closing> {
  if (error instanceof Refusal) {
    await connection.reject(error);
    return closingOf(error);
  }
  if (error instanceof HandshakeError) {
    return { reason: "BAD_FRAME", closedBy: error.byPeer ? "client" : "balancer", detail: error.message };
  }
  if (isDisconnect(error)) return { reason: "client_reset", closedBy: "client", detail: messageOf(error) };
  return { reason: "internal", closedBy: "balancer", detail: messageOf(error) };
}

/** How a relayed connection ended. */
export function endOf({ reason, closedBy, cause }: Ending): Closing {
  return { reason, closedBy, detail: cause === undefined ? undefined : messageOf(cause) };
}
