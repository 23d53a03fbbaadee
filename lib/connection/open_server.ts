/** Opens a connection to a server: dial, PROXY header, TLS. */

import type { HostPort, UpstreamTls } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import { type Duplex, writeAll } from "../transport/duplex.ts";
import { TcpDuplex } from "../transport/tcp.ts";
import { secureUpstream } from "../transport/tls/client.ts";
import { HandshakeError } from "../transport/tls/duplex.ts";
import { DialError } from "../upstream/dial_error.ts";
import type { TimeLimit } from "../util/deadlines.ts";
import type { DialSettings } from "./dial_settings.ts";
import { durationText } from "../util/text.ts";

/** The server, and the header to send first. */
export interface Opening {
  readonly server: HostPort & { readonly tls?: UpstreamTls | boolean };
  /** Sent before everything, including TLS; undefined for none. */
  readonly header?: Uint8Array | undefined;
  /** Receives the socket, and then TLS over it, as soon as each exists. */
  readonly owner?: { opened(duplex: Duplex): void };
}

/**
 * Opens a connection within `limit`. Everything is closed again if that fails.
 *
 * @throws {DialError | Deno.errors.TimedOut} or another error of the system
 */
export async function openServer(
  opening: Opening,
  limit: TimeLimit,
  settings: DialSettings,
): Promise<Duplex> {
  const { server, header, owner } = opening;
  const tcp = new TcpDuplex(await settings.dialer.dial(server, limit));
  owner?.opened(tcp);
  return header || server.tls ? await introduce(tcp, opening, limit, settings) : tcp;
}

/** Sends the header and performs the TLS handshake, as configured for the server. */
async function introduce(
  tcp: Duplex,
  { server, header, owner }: Opening,
  limit: TimeLimit,
  { upstreamTls }: DialSettings,
): Promise<Duplex> {
  try {
    if (header) await limit.guard(writeAll(tcp, header), () => late(limit));
    if (!server.tls) return tcp;
    const secured = await secureUpstream(tcp, server, upstreamTls, limit).catch(tlsFailure);
    owner?.opened(secured);
    return secured;
  } catch (error) {
    tcp.close();
    throw error;
  }
}

function late(limit: TimeLimit): Error {
  return new Deno.errors.TimedOut(
    `the PROXY header could not be sent within ${durationText(limit.duration)}`,
  );
}

function tlsFailure(error: unknown): never {
  // other errors are a deadline, or the interruption of the wait
  if (!(error instanceof HandshakeError)) throw error;
  throw new DialError("tls", messageOf(error), { cause: error });
}
