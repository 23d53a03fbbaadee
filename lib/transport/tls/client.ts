/** TLS to upstreams, and for the commands that act as clients. */

import { isIP } from "node:net";
import { connect, createSecureContext, type SecureContext } from "node:tls";
import type { Upstream, UpstreamTls } from "../../config/config.ts";
import type { TimeLimit } from "../../util/deadlines.ts";
import type { Duplex } from "../duplex.ts";
import { readCertificates, readKeyPair } from "./certificates.ts";
import { TlsDuplex } from "./duplex.ts";
import { type ReadFile, readNow } from "./files.ts";
import { requireTls } from "./platform.ts";
import { durationText } from "../../util/text.ts";

/** The server that a client of TLS expects. */
export interface TlsTarget {
  /** Name or address that the server's certificate must match. */
  readonly host: string;
  /** The trusted certificates, and the client's own certificate. */
  readonly context: SecureContext;
}

/** Starts TLS over `raw`, which the duplex then owns; the handshake follows. */
export function tlsClient(raw: Duplex, { host, context }: TlsTarget): TlsDuplex {
  requireTls();
  // an address must not be sent as server name (RFC 6066, section 3), but is checked all the same
  const expected = isIP(host) === 0 ? { host, servername: host } : { host };
  return new TlsDuplex(raw, {
    opened: "secureConnect",
    begin: (socket) => connect({ socket, secureContext: context, ...expected }),
  });
}

/** Trusts Deno's authorities, and the certificates in `ca`, in PEM. */
export function clientContext(
  ca?: string,
  own?: { readonly cert: string; readonly key: string },
): SecureContext {
  const context = createSecureContext(own && { cert: own.cert, key: own.key });
  // as an option they would replace Deno's own list
  if (ca !== undefined) context.context.addCACert(ca);
  return context;
}

/** The TLS settings of upstreams, with their files read once for a configuration. */
export class UpstreamContexts {
  readonly #contexts = new Map<string, SecureContext>();

  /** @throws Error naming the file that cannot be read or used */
  constructor(upstreams: Iterable<Pick<Upstream, "tls">>, read: ReadFile = readNow) {
    for (const { tls } of upstreams) {
      if (!tls) continue;
      requireTls();
      const settings = settingsOf(tls);
      const key = keyOf(settings);
      if (!this.#contexts.has(key)) this.#contexts.set(key, contextOf(settings, read));
    }
  }

  /** The context for settings of one of the upstreams. */
  of(settings: UpstreamTls): SecureContext {
    return this.#contexts.get(keyOf(settings)) ?? clientContext();
  }
}

function keyOf({ ca, cert, key }: UpstreamTls): string {
  return JSON.stringify([ca, cert, key]);
}

function contextOf({ ca, cert, key }: UpstreamTls, read: ReadFile): SecureContext {
  const own = cert === undefined || key === undefined ? undefined : readKeyPair({ cert, key }, read);
  return clientContext(ca === undefined ? undefined : readCertificates(ca, read), own);
}

/**
 * The plain side of TLS over `raw`, which is connected to `upstream`. It owns `raw`.
 *
 * @throws {Deno.errors.TimedOut} if the handshake takes longer than the deadline, or the error of the handshake
 */
export async function secureUpstream(
  raw: Duplex,
  { host, tls }: Upstream,
  contexts: UpstreamContexts,
  limit: TimeLimit,
): Promise<Duplex> {
  const settings = settingsOf(tls);
  const duplex = tlsClient(raw, { host: settings.server_name ?? host, context: contexts.of(settings) });
  try {
    await limit.guard(
      duplex.handshake(),
      () => new Deno.errors.TimedOut(`no TLS handshake within ${durationText(limit.duration)}`),
    );
    return duplex;
  } catch (error) {
    duplex.close();
    throw error;
  }
}

function settingsOf(tls: Upstream["tls"]): UpstreamTls {
  return typeof tls === "object" ? tls : {};
}
