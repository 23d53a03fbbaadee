/** Connecting as a client: over TCP, TLS and WebSocket. */

import type { HostPort } from "../config/config.ts";
import { messageOf, refusalName } from "../errors.ts";
import { decodeError } from "../frame/tlv.ts";
import type { Duplex } from "../transport/duplex.ts";
import { TcpDuplex } from "../transport/tcp.ts";
import { clientContext, tlsClient } from "../transport/tls/client.ts";
import { connectWebSocket } from "../transport/websocket/connect.ts";
import { durationText, hostPortText } from "../util/text.ts";

/** The address that a client connects to, and the protocols it speaks there. */
export interface ClientTarget extends HostPort {
  /** Path of a WebSocket, query included; without it the frames go over raw TCP. */
  readonly path?: string;
  /** Set for TLS. */
  readonly tls?: ClientTls;
}

/** The certificates that a client trusts, and its own, in PEM. */
export interface ClientTls {
  /** Certificates to trust besides those that Deno trusts. */
  readonly ca?: string;
  /** The client's own certificate and its private key. */
  readonly own?: { readonly cert: string; readonly key: string };
}

/** How a connection is opened. */
export interface ConnectOptions {
  /** Aborts the attempt. Must come from `connectCanceller`, or a socket may leak. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Time limit for the handshakes of TLS and WebSocket together, in milliseconds.
   *
   * @default 10000
   */
  readonly handshakeMs?: number;
}

/** Opens a connection to `target`; the caller closes it. @throws Error with the target and the reason */
export async function connectTo(target: ClientTarget, options: ConnectOptions = {}): Promise<Duplex> {
  const conn = await dial(target, options);
  try {
    return await performHandshakes(new TcpDuplex(conn), target, options);
  } catch (error) {
    conn[Symbol.dispose]();
    throw new Error(`cannot connect to ${clientTargetText(target)}: ${messageOf(error)}`, { cause: error });
  }
}

async function dial(target: ClientTarget, { signal }: ConnectOptions): Promise<Deno.TcpConn> {
  const { host, port } = target;
  try {
    return await Deno.connect({ hostname: host, port, ...(signal && { signal }) });
  } catch (error) {
    const message = messageOf(error);
    const advice = message.includes("lookup") ? "check the host name" : "is the balancer running there?";
    throw new Error(`cannot connect to ${clientTargetText(target)}: ${message}; ${advice}`, { cause: error });
  }
}

/** Completes the handshakes of TLS and WebSocket over `raw`, as far as the target asks for them, within the deadline. */
async function performHandshakes(
  raw: Duplex,
  target: ClientTarget,
  { signal, handshakeMs = 10_000 }: ConnectOptions,
): Promise<Duplex> {
  let late = false;
  const giveUp = () => raw.close();
  const timer = setTimeout(() => {
    late = true;
    giveUp();
  }, handshakeMs);
  signal?.addEventListener("abort", giveUp);
  try {
    if (signal?.aborted) giveUp();
    const carrier = target.tls ? await secure(raw, target.host, target.tls) : raw;
    const { path } = target;
    return path === undefined ? carrier : await connectWebSocket(carrier, { host: target, path });
  } catch (error) {
    giveUp();
    throw late ? new Error(`no answer to the handshake within ${durationText(handshakeMs)}`) : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}

async function secure(raw: Duplex, host: string, { ca, own }: ClientTls): Promise<Duplex> {
  const duplex = tlsClient(raw, { host, context: clientContext(ca, own) });
  try {
    await duplex.handshake();
    return duplex;
  } catch (error) {
    duplex.close();
    throw error;
  }
}

/** `target` as it is written on the command line. */
export function clientTargetText({ host, port, path, tls }: ClientTarget): string {
  const address = hostPortText({ host, port });
  if (path === undefined) return tls ? `tls://${address}` : address;
  return `${tls ? "wss" : "ws"}://${address}${path}`;
}

/** The balancer refused the client; the message has the ERROR frame's code and text. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";

  /** @param value The value of the ERROR frame. */
  constructor(value: Uint8Array) {
    const { code, text } = decodeError(value);
    super(`refused with ${refusalName(code) ?? "an unknown error"} (${code}): ${text}`);
  }
}
