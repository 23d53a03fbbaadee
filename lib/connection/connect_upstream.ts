/** The way to an upstream: dialed, told for whom it is, secured. */

import type { Account } from "./registry.ts";
import type { Upstream } from "../config/config.ts";
import { DialError, dialErrorOf, unavailable } from "../upstream/dial_error.ts";
import { type Duplex, writeAll } from "../transport/duplex.ts";
import { TcpDuplex } from "../transport/tcp.ts";
import { secureUpstream } from "../transport/tls/client.ts";
import { encodeProxyHeader } from "../transport/proxy_protocol/header.ts";
import { hostPortText } from "../util/text.ts";
import type { TimeLimit } from "../util/deadlines.ts";
import { messageOf } from "../errors.ts";
import type { Shared } from "./snapshot.ts";

/**
 * Connects to `target` on behalf of `client`.
 *
 * @throws {Refusal} UPSTREAM_UNAVAILABLE
 */
export async function reach(
  target: Upstream,
  account: Account,
  client: Deno.TcpConn,
  shared: Shared,
): Promise<Duplex> {
  account.dial(hostPortText(target));
  using budget = shared.connectDeadlines.start();
  try {
    const conn = await shared.dialer.dial(target, budget);
    account.quiet = shared.quiet;
    const upstream = account.connect(new TcpDuplex(conn));
    if (shared.proxyProtocol) await introduce(upstream, account, client, shared.proxyProtocol);
    return target.tls ? account.connect(await secure(upstream, target, budget, shared)) : upstream;
  } catch (error) {
    throw unavailable(dialErrorOf(error));
  }
}

/** Speaks TLS to the upstream, in what is left of the time for connecting. */
async function secure(
  upstream: Duplex,
  target: Upstream,
  budget: TimeLimit,
  shared: Shared,
): Promise<Duplex> {
  try {
    return await secureUpstream(upstream, target, shared.certificates, budget);
  } catch (error) {
    if (error instanceof Deno.errors.TimedOut) throw error;
    throw new DialError("tls", messageOf(error), { cause: error });
  }
}

/** Sends the PROXY header. It is not among the bytes that the access log counts. */
async function introduce(
  upstream: Duplex,
  { passed }: Account,
  { remoteAddr, localAddr }: Deno.TcpConn,
  version: "v1" | "v2",
): Promise<void> {
  await writeAll(
    upstream,
    encodeProxyHeader(version, passed ?? { source: remoteAddr, destination: localAddr }),
  );
}
