/**
 * TLS to upstreams.
 *
 * A TLS handshake that hangs cannot be given up on this platform: closing the connection leaves its socket open until
 * the peer ends it. So TLS is spoken over loopback here too, with the upstream's connection behind it: closing that one
 * ends the handshake.
 */

import { X509Certificate } from "node:crypto";
import type { Upstream, UpstreamTls } from "../../config/config.ts";
import type { TimeLimit } from "../../util/deadlines.ts";
import { messageOf } from "../../errors.ts";
import type { Duplex } from "../duplex.ts";
import { LOOPBACK, Loopback } from "./loopback.ts";
import { TcpDuplex } from "../tcp.ts";
import { OpenSockets, type TlsLink, TlsSocket } from "./tls_socket.ts";

/** The certificates of `ca` files, read once for a configuration. */
export class Authorities {
  readonly #pem = new Map<string, string>();

  /** @throws Error that names the file which cannot be read, or holds no certificate */
  constructor(upstreams: Iterable<Pick<Upstream, "tls">>) {
    for (const { tls } of upstreams) {
      const { ca } = settingsOf(tls);
      if (ca !== undefined && !this.#pem.has(ca)) this.#pem.set(ca, read(ca));
    }
  }

  /** What Deno is to trust besides its own list. */
  of({ ca }: UpstreamTls): string[] {
    const pem = ca === undefined ? undefined : this.#pem.get(ca);
    return pem === undefined ? [] : [pem];
  }
}

/** Speaks TLS to upstreams. */
export class TlsClient {
  readonly #open = new OpenSockets();
  #loopback: Loopback<Deno.TcpConn> | undefined;

  /**
   * The plain side of TLS over `raw`, which is connected to `upstream`. It owns `raw`.
   *
   * @throws {Deno.errors.TimedOut} where the handshake takes longer than the deadline, and what it fails with
   */
  async secure(
    raw: Duplex,
    { host, tls }: Upstream,
    authorities: Authorities,
    limit: TimeLimit,
  ): Promise<TcpDuplex> {
    const settings = settingsOf(tls);
    const socket = new TlsSocket(
      raw,
      await this.#link({
        hostname: settings.server_name ?? host,
        caCerts: authorities.of(settings),
      }),
    );
    this.#open.add(socket);
    try {
      await limit.guard(
        socket.handshake(),
        () => new Deno.errors.TimedOut(`no TLS handshake within ${limit.duration} ms`),
      );
      return new TcpDuplex(socket);
    } catch (error) {
      socket.destroy();
      if (error instanceof Deno.errors.TimedOut) throw error;
      throw new Error(`TLS handshake: ${messageOf(error)}`, { cause: error });
    }
  }

  async #link(options: Deno.StartTlsOptions): Promise<TlsLink> {
    this.#loopback ??= new Loopback(Deno.listen({ hostname: LOOPBACK, port: 0 }));
    const { dialed, accepted } = await this.#loopback.connect();
    try {
      dialed.setNoDelay(true);
      return { hop: accepted, secure: await Deno.startTls(dialed, options) };
    } catch (error) {
      for (const end of [dialed, accepted]) end[Symbol.dispose]();
      throw error;
    }
  }

  /** Waits, at most `ms`, until what has been sent is on its way, and ends the rest. */
  async close(ms: number): Promise<void> {
    this.#loopback?.retire();
    await this.#open.finish(ms);
  }
}

function settingsOf(tls: Upstream["tls"]): UpstreamTls {
  return typeof tls === "object" ? tls : {};
}

function read(ca: string): string {
  try {
    const pem = Deno.readTextFileSync(ca);
    const certificates = pem.match(CERTIFICATE) ?? [];
    if (certificates.length === 0) throw new Error(`${ca} holds no certificate in PEM`);
    for (const each of certificates) checkCertificate(each, ca);
    return pem;
  } catch (error) {
    throw new Error(`cannot read the certificates to trust: ${messageOf(error)}`, { cause: error });
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;

/** The platform would say so only when it is to be trusted, at each connection anew. */
function checkCertificate(pem: string, ca: string): void {
  try {
    new X509Certificate(pem);
  } catch (error) {
    throw new Error(`${ca} holds a certificate that cannot be used: ${messageOf(error)}`, { cause: error });
  }
}
