/** One connection's story: admit, read the ID, route, dial, relay, account. */

import type { Account, Closing } from "./connection/registry.ts";
import { dismiss, PROBE, refuse } from "./connection/refuse.ts";
import { greet } from "./connection/handshake.ts";
import { reach } from "./connection/connect_upstream.ts";
import type { InForce, Shared } from "./connection/snapshot.ts";
import { messageOf, Refusal } from "./errors.ts";
import type { Entrance } from "./listen/listener.ts";
import { TcpDuplex } from "./transport/tcp.ts";
import { type Ending, relay } from "./relay/relay.ts";
import type { Route } from "./route/table.ts";

/** Serves an accepted connection from its first byte to its access line. Never rejects, and closes `conn`. */
export async function serveConnection(
  conn: Deno.TcpConn,
  entrance: Entrance,
  inForce: InForce,
): Promise<void> {
  const accepted = inForce.shared;
  const account = accepted.ledger.open(new TcpDuplex(conn), conn.remoteAddr, entrance.name);
  let closing = PROBE;
  try {
    const id = await greet(account, conn.remoteAddr, entrance, accepted);
    if (id !== null) {
      // a reload while the client was silent counts: the ID is routed by what is in force now
      const { shared } = inForce;
      const { upstream } = route(id, account, shared);
      claim(id, account, shared);
      const server = await reach(upstream, account, conn, shared);
      closing = closingOf(await relay(account.client, server, account.up, account.down));
    }
  } catch (error) {
    accepted.admission.release(account);
    closing = await refuse(account, error);
  } finally {
    accepted.admission.release(account);
    if (account.rejection) await account.rejection;
    account.client.close();
    account.upstream?.close();
  }
  accepted.ledger.close(account, closing);
}

function route(id: string, account: Account, shared: Shared): Route {
  const found = shared.table.find(id);
  if (!found) throw new Refusal("UNKNOWN_ID", `no route for ID ${JSON.stringify(id)}`);
  account.route = found.rule;
  return found;
}

/** Ends the connections of this ID that have to give way. */
function claim(id: string, account: Account, { admission }: Shared): void {
  for (const older of admission.claim(account, id)) {
    dismiss(older, REPLACED, new Refusal("REPLACED", "this ID has connected again"));
  }
}

const REPLACED: Closing = { reason: "REPLACED", closedBy: "balancer" };

function closingOf({ reason, closedBy, cause }: Ending): Closing {
  return { reason, closedBy, detail: cause === undefined ? undefined : messageOf(cause) };
}
