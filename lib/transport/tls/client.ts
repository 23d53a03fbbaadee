/** TLS to upstreams, and of the programs that play a client. */

import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect, createSecureContext, type SecureContext } from "node:tls";
import type { Upstream, UpstreamTls } from "../../config/config.ts";
import type { TimeLimit } from "../../util/deadlines.ts";
import { messageOf } from "../../errors.ts";
import type { Duplex } from "../duplex.ts";
import { TlsDuplex } from "./duplex.ts";

/** The server that a client of TLS expects. */
export interface TlsTarget {
  /** Name or address that the server's certificate must be for. */
  readonly host: string;
  /** What is trusted. */
  readonly context: SecureContext;
}

/** Begins TLS over `raw`, which the duplex then owns. Its handshake is still to come. */
export function tlsClient(raw: Duplex, { host, context }: TlsTarget): TlsDuplex {
  // addresses are no server names (RFC 6066, section 3), and are checked all the same
  const expected = isIP(host) === 0 ? { host, servername: host } : { host };
  return new TlsDuplex(
    raw,
    "secureConnect",
    (socket) => connect({ socket, secureContext: context, ...expected }),
  );
}

/** Trusts what Deno trusts, and the certificates in `pem`. */
export function trusting(pem: string | undefined): SecureContext {
  const context = createSecureContext();
  // as an option they would take the place of Deno's own list
  if (pem !== undefined) context.context.addCACert(pem);
  return context;
}

/** The certificates of `ca` files, read once for a configuration. */
export class CaCertificates {
  readonly #contexts = new Map<string | undefined, SecureContext>();

  /** @throws Error that names the file which cannot be read, or holds no certificate */
  constructor(upstreams: Iterable<Pick<Upstream, "tls">>) {
    for (const { tls } of upstreams) {
      if (!tls) continue;
      const { ca } = settingsOf(tls);
      if (!this.#contexts.has(ca)) {
        this.#contexts.set(ca, trusting(ca === undefined ? undefined : readCertificates(ca)));
      }
    }
  }

  /** What is trusted with these settings, which are among those of the upstreams. */
  of({ ca }: UpstreamTls): SecureContext {
    return this.#contexts.get(ca) ?? trusting(undefined);
  }
}

/**
 * The plain side of TLS over `raw`, which is connected to `upstream`. It owns `raw`.
 *
 * @throws {Deno.errors.TimedOut} where the handshake takes longer than the deadline, and what it fails with
 */
export async function secureUpstream(
  raw: Duplex,
  { host, tls }: Upstream,
  certificates: CaCertificates,
  limit: TimeLimit,
): Promise<Duplex> {
  const settings = settingsOf(tls);
  const duplex = tlsClient(raw, {
    host: settings.server_name ?? host,
    context: certificates.of(settings),
  });
  try {
    await limit.guard(
      duplex.handshake(),
      () => new Deno.errors.TimedOut(`no TLS handshake within ${limit.duration} ms`),
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

/** Certificates in PEM. @throws Error that names the file, where it cannot be read, or holds none that can be used */
export function readCertificates(file: string): string {
  const pem = readText(file);
  const certificates = pem.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw new Error(`${file} holds no certificate in PEM`);
  for (const each of certificates) checkCertificate(each, file);
  return pem;
}

function readText(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    throw new Error(`cannot read the certificates to trust: ${messageOf(error)}`, { cause: error });
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;

/** The platform would report it only when it is to be trusted, at each connection anew. */
function checkCertificate(pem: string, file: string): void {
  try {
    new X509Certificate(pem);
  } catch (error) {
    throw new Error(`${file} holds a certificate that cannot be used: ${messageOf(error)}`, { cause: error });
  }
}
