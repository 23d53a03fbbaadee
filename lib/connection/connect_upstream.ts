/** The way to an upstream: dialed, told for whom the connection is, secured. */

import type { Upstream } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import { type Duplex, writeAll } from "../transport/duplex.ts";
import { encodeProxyHeader } from "../transport/proxy_protocol/header.ts";
import { TcpDuplex } from "../transport/tcp.ts";
import { secureUpstream } from "../transport/tls/client.ts";
import { DialError, dialErrorOf, unavailable } from "../upstream/dial_error.ts";
import type { TimeLimit } from "../util/deadlines.ts";
import type { Connection } from "./connection.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * Connects to `target` on behalf of `connection`, within `timeouts.connect`.
 *
 * @throws {Refusal} UPSTREAM_UNAVAILABLE, or what the connection was terminated by meanwhile
 */
export async function connectUpstream(
  target: Upstream,
  connection: Connection,
  snapshot: Snapshot,
): Promise<Duplex> {
  using budget = snapshot.connectDeadlines.start();
  connection.waitsUnder(budget);
  connection.dialing(target);
  try {
    const upstream = await open(target, budget, connection, snapshot);
    connection.connected();
    return upstream;
  } catch (error) {
    if (connection.closing) throw error;
    const failure = dialErrorOf(error);
    connection.dialFailed(target, failure.reason);
    throw unavailable(failure);
  }
}

async function open(
  target: Upstream,
  budget: TimeLimit,
  connection: Connection,
  snapshot: Snapshot,
): Promise<Duplex> {
  const upstream = new TcpDuplex(await snapshot.dialer.dial(target, budget));
  connection.opened(upstream);
  if (snapshot.proxyProtocol) await sendProxyHeader(upstream, connection, snapshot.proxyProtocol);
  if (!target.tls) return upstream;
  const secured = await secure(upstream, target, budget, snapshot);
  connection.opened(secured);
  return secured;
}

/** Speaks TLS to the upstream, in what is left of the time for connecting. */
async function secure(
  upstream: Duplex,
  target: Upstream,
  budget: TimeLimit,
  { upstreamTls }: Snapshot,
): Promise<Duplex> {
  try {
    return await secureUpstream(upstream, target, upstreamTls, budget);
  } catch (error) {
    if (error instanceof Deno.errors.TimedOut) throw error;
    throw new DialError("tls", messageOf(error), { cause: error });
  }
}

/** Sends the PROXY header. It is not among the bytes that the access log counts. */
async function sendProxyHeader(
  upstream: Duplex,
  { source, destination }: Connection,
  version: "v1" | "v2",
): Promise<void> {
  await writeAll(upstream, encodeProxyHeader(version, { source, destination }));
}
