/** The way to an upstream: dialed, told for whom it is, secured. */

import type { Account } from "./registry.ts";
import type { Upstream } from "../config/config.ts";
import { unavailable } from "../upstream/dial_error.ts";
import { type Duplex, writeAll } from "../transport/duplex.ts";
import { TcpDuplex } from "../transport/tcp.ts";
import { encodeProxyHeader } from "../transport/proxy_protocol/header.ts";
import { hostPortText } from "../util/text.ts";
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
  try {
    const conn = await shared.dialer.dial(target, shared.connectDeadlines);
    account.quiet = shared.quiet;
    const upstream = account.connect(new TcpDuplex(conn));
    if (shared.proxyProtocol) await introduce(upstream, account, client, shared.proxyProtocol);
    if (!target.tls) return upstream;
    const { tls, authorities, connectDeadlines } = shared;
    return account.connect(await tls.secure(upstream, target, authorities, connectDeadlines));
  } catch (error) {
    throw unavailable(error);
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
