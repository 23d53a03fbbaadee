/** Connects to an upstream: tries the candidates of a route in order, each once, under one deadline. */

import { Refusal } from "../errors.ts";
import { type Route, ruleText } from "../route/table.ts";
import type { Duplex } from "../transport/duplex.ts";
import { encodeProxyHeader } from "../transport/proxy_protocol/header.ts";
import { DialError, dialErrorOf, unavailable } from "../upstream/dial_error.ts";
import type { Candidates, Pool } from "../upstream/pool.ts";
import type { Server } from "../upstream/server.ts";
import type { Deadline, TimeLimit } from "../util/deadlines.ts";
import { targetText } from "../util/text.ts";
import type { Connection } from "./connection.ts";
import { openServer } from "./open_server.ts";
import type { Snapshot } from "./snapshot.ts";

/** Minimum time for one of several candidates, in milliseconds: longer than an intercontinental handshake. */
const LEAST_SHARE_MS = 250;

const NOTHING = new Uint8Array();

/**
 * Connects to a server of `route` for `connection`, within `timeouts.connect`, or longer if the route holds its
 * clients. Nothing of the client's data is sent. The connection is counted at the server until it is released.
 *
 * @param started The remaining time after the route's look-up; disposed of here. @default all of it
 * @throws {Refusal} UPSTREAM_UNAVAILABLE, LIMIT_EXCEEDED, or the reason for which the connection was terminated
 */
export function connectUpstream(
  route: Route,
  connection: Connection,
  snapshot: Snapshot,
  started?: Deadline,
): Promise<Duplex> {
  const pool = poolBehind(route, snapshot);
  if (!route.hold) return connectToAny(pool, connection, snapshot, started);
  const connect = (deadline?: Deadline) => connectToAny(pool, connection, snapshot, deadline);
  return connectOrHold(route, connect, connection, snapshot, started);
}

type Connect = (deadline?: Deadline) => Promise<Duplex>;

async function connectOrHold(
  route: Route,
  connect: Connect,
  connection: Connection,
  snapshot: Snapshot,
  started?: Deadline,
): Promise<Duplex> {
  try {
    return await connect(started);
  } catch (error) {
    const unreachable = error instanceof Refusal && error.reason === "UPSTREAM_UNAVAILABLE";
    if (!unreachable || connection.closing) throw error;
    return await connectHeld(route, error, connect, connection, snapshot);
  }
}

function poolBehind({ target }: Route, { upstreams, pools }: Snapshot): Pool {
  if (target.pool === undefined) return upstreams.single(target);
  const pool = pools.get(target.pool);
  if (!pool) throw new Error(`there is no pool ${target.pool}`);
  return pool;
}

/** Holds the client and retries in turn, until the upstream is reached or the time is over. */
async function connectHeld(
  { rule, target, hold }: Route,
  refusal: Refusal,
  connect: Connect,
  connection: Connection,
  snapshot: Snapshot,
): Promise<Duplex> {
  const call = { route: ruleText(rule), upstream: targetText(target), id: connection.id ?? "" };
  using place = hold && snapshot.hold.enter(hold, call);
  let last: unknown = refusal;
  while (place) {
    connection.waitsUnder(place);
    if (!await place.turn()) break;
    await connection.client.write(NOTHING); // fails if the client has reset the connection
    try {
      const reached = await connect();
      place.reached();
      return reached;
    } catch (error) {
      last = error;
      if (connection.closing) break;
    }
  }
  throw last;
}

/**
 * Tries the servers of `pool` until one is reached; a slow one does not use up the time of later ones. One async
 * function for all servers, and no `using`: each would cost every connection part of a microsecond.
 */
async function connectToAny(
  pool: Pool,
  connection: Connection,
  snapshot: Snapshot,
  started?: Deadline,
): Promise<Duplex> {
  const deadline = started ?? snapshot.connectDeadlines.start();
  connection.waitsUnder(deadline);
  const candidates = pool.candidates(connection.id ?? "");
  const failures: Failure[] = [];
  let full = 0;
  try {
    for (let server = candidates.next(); server && !deadline.expired; server = candidates.next()) {
      const lease = server.acquire();
      if (!lease) {
        full += 1;
        continue;
      }
      try {
        connection.dialing(server, lease);
        const duplex = await openFor(connection, server, shareOf(deadline, candidates), snapshot);
        server.record.dialed();
        connection.connected();
        return duplex;
      } catch (error) {
        failures.push({ server, error: dialFailed(server, error, connection) });
      }
    }
  } finally {
    deadline[Symbol.dispose]();
  }
  throw refusalOf(failures, full);
}

function openFor(
  connection: Connection,
  server: Server,
  limit: TimeLimit,
  snapshot: Snapshot,
): Promise<Duplex> {
  const header = snapshot.proxyProtocol && encodeProxyHeader(snapshot.proxyProtocol, connection);
  return openServer({ server, header: header || undefined, owner: connection }, limit, snapshot);
}

/** An equal share of the remaining time for each remaining candidate. */
function shareOf(deadline: Deadline, { left }: Candidates): TimeLimit {
  return left === 0 ? deadline : deadline.within(Math.max(LEAST_SHARE_MS, deadline.left / (left + 1)));
}

/** Reports a failed dial of `server`. @throws the reason for which the connection was terminated, if it was */
function dialFailed(server: Server, error: unknown, connection: Connection): DialError {
  if (connection.closing) throw error;
  const failure = dialErrorOf(error);
  // other failures are the balancer's own, such as a lack of open files
  if (failure.reason !== "failed") server.record.dialed(failure);
  connection.dialFailed(server, failure.reason);
  return failure;
}

interface Failure {
  readonly server: Server;
  readonly error: DialError;
}

/** The client is sent the last failure; the log has all. */
function refusalOf(failures: readonly Failure[], full: number): Refusal {
  const last = failures.at(-1)?.error;
  if (last && failures.length === 1) return unavailable(last);
  if (last) {
    const each = failures.map(({ server: { key }, error: { message } }) => `${key}: ${message}`);
    return unavailable(new DialError(last.reason, each.join("; "), { cause: last }));
  }
  if (full > 0) {
    return new Refusal("LIMIT_EXCEEDED", "every server for this ID has reached max_connections");
  }
  return unavailable(new DialError("failed", "every server of the pool is drained"));
}
