/** The path of a connection: admit, read the ID, route, dial, relay, account. */

import { closingOf } from "./connection/rejection.ts";
import { connectUpstream } from "./connection/connect_upstream.ts";
import { countId, findRoute } from "./connection/find_route.ts";
import { handshake } from "./connection/handshake.ts";
import { endOf, refuse } from "./connection/refuse.ts";
import { idleCheck } from "./connection/idle_timeout.ts";
import type { Current } from "./connection/snapshot.ts";
import type { Listener } from "./listen/listener.ts";
import type { Closing } from "./observe/observer.ts";
import { relay } from "./relay/relay.ts";
import { type AcceptedSocket, TcpDuplex } from "./transport/tcp.ts";

/** Serves an accepted connection from its first byte to its access line. Never rejects, and closes `socket`. */
export async function serveConnection(
  socket: AcceptedSocket,
  listener: Listener,
  current: Current,
): Promise<void> {
  const { registry, limiter } = current;
  const connection = registry.open(new TcpDuplex(socket), socket, listener.name);
  let closing: Closing = { reason: "probe", closedBy: "client" };
  try {
    const address = listener.isProxy(connection.peer.hostname) ? undefined : connection.peer.hostname;
    const permit = limiter.reserve((why) => connection.terminate(closingOf(why), why), address);
    connection.admitted(permit);
    const id = await handshake(connection, listener, permit, current);
    if (id !== null) {
      // the ID is routed by the current configuration, which may be newer than the accept
      const found = findRoute(id, connection, current);
      const { route, snapshot, deadline } = found instanceof Promise ? await found : found;
      connection.routed(route.rule);
      countId(permit, id, deadline);
      const upstream = await connectUpstream(route, connection, snapshot, deadline);
      const { client, up, down } = connection;
      const onIdle = idleCheck(connection, snapshot.idleLimits);
      closing = endOf(await relay(client, upstream, up, down, onIdle));
    }
  } catch (error) {
    connection.release();
    closing = await refuse(connection, error);
  } finally {
    connection.release();
    if (connection.rejection) await connection.rejection;
    connection.end();
  }
  registry.close(connection, closing);
}
