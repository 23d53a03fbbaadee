/** How the programs that play a client reach the balancer, and what they make of being turned away. */

import type { HostPort } from "../config/config.ts";
import { messageOf, refusalName } from "../errors.ts";
import { decodeError } from "../frame/tlv.ts";
import type { Duplex } from "../listen/duplex.ts";
import { TcpDuplex } from "../listen/tcp.ts";
import { connectWebSocket } from "../listen/websocket/client.ts";
import { addressText } from "../text.ts";

/** Where a client connects to, and how. */
export interface Target extends HostPort {
  /** Path of a WebSocket, query included; without it the frames go over raw TCP. */
  readonly path?: string;
}

/** How a connection is opened. */
export interface ConnectOptions {
  /** Gives up. Has to come from `connectCanceller`, or a socket may be lost. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How long the answer to a WebSocket handshake may take, in milliseconds.
   *
   * @default 10000
   */
  readonly handshakeMs?: number;
}

/** Opens a connection to `target`; the caller closes it. @throws Error that says what was tried. */
export async function connectTo(target: Target, options: ConnectOptions = {}): Promise<Duplex> {
  const tcp = await connectTcp(target, options);
  if (target.path === undefined) return tcp;
  try {
    return await handshake(tcp, target, target.path, options);
  } catch (error) {
    tcp.close();
    throw new Error(`cannot connect to ${targetText(target)}: ${messageOf(error)}`, { cause: error });
  }
}

async function connectTcp(target: Target, { signal }: ConnectOptions): Promise<Duplex> {
  const { host, port } = target;
  try {
    return new TcpDuplex(await Deno.connect({ hostname: host, port, ...(signal && { signal }) }));
  } catch (error) {
    throw new Error(
      `cannot connect to ${targetText(target)}: ${messageOf(error)}; is the balancer running there?`,
      { cause: error },
    );
  }
}

async function handshake(
  tcp: Duplex,
  host: HostPort,
  path: string,
  { signal, handshakeMs = 10_000 }: ConnectOptions,
): Promise<Duplex> {
  let late = false;
  const giveUp = () => tcp.close();
  const timer = setTimeout(() => {
    late = true;
    giveUp();
  }, handshakeMs);
  signal?.addEventListener("abort", giveUp);
  try {
    if (signal?.aborted) giveUp();
    return await connectWebSocket(tcp, { host, path });
  } catch (error) {
    throw late ? new Error(`no answer to the WebSocket handshake within ${handshakeMs} ms`) : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}

/** `target` as it is written on the command line. */
export function targetText({ host, port, path }: Target): string {
  const address = addressText({ hostname: host, port });
  return path === undefined ? address : `ws://${address}${path}`;
}

/** The balancer turned the client away; the message names the ERROR frame's code and gives its text. */
export class TurnedAway extends Error {
  override readonly name = "TurnedAway";

  /** @param value The value of the ERROR frame. */
  constructor(value: Uint8Array) {
    const { code, text } = decodeError(value);
    super(`refused with ${refusalName(code) ?? "an unknown error"} (${code}): ${text}`);
  }
}
