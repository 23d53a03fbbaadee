/** How the programs that play a client reach the balancer, and what they make of being turned away. */

import type { HostPort } from "../config/config.ts";
import { messageOf, refusalName } from "../errors.ts";
import { decodeError } from "../frame/tlv.ts";
import type { Duplex } from "../listen/duplex.ts";
import { TcpDuplex } from "../listen/tcp.ts";
import { addressText } from "../text.ts";

/** Where a client connects to. */
export type Target = HostPort;

/** Opens a connection to `target`; the caller closes it. @throws Error that says what was tried. */
export async function connectTo(target: Target, options: { signal?: AbortSignal } = {}): Promise<Duplex> {
  const { host, port } = target;
  try {
    return new TcpDuplex(await Deno.connect({ hostname: host, port, ...options }));
  } catch (error) {
    throw new Error(
      `cannot connect to ${targetText(target)}: ${messageOf(error)}; is the balancer running there?`,
      { cause: error },
    );
  }
}

/** `target` as it is written on the command line. */
export function targetText({ host, port }: Target): string {
  return addressText({ hostname: host, port });
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
