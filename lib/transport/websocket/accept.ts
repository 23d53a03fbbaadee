/** Accepts a WebSocket, given the first bytes of its HTTP request. */

import { acquire, release } from "../../util/buffer_pool.ts";
import { Refusal } from "../../errors.ts";
import { type Duplex, writeAll } from "../duplex.ts";
import { WebSocketDuplex } from "./duplex.ts";
import { type HandshakeResult, type Policy, refusedWith, ServerHandshake } from "./handshake.ts";

/** Size of a read of a request: browsers send under 2 KiB. */
const READ_BYTES = 4 << 10;

/** Whether a connection that begins with `bytes` may be a WebSocket handshake, judging by the first byte. */
export function isUpgrade(bytes: Uint8Array): boolean {
  return bytes[0] === "G".charCodeAt(0);
}

/**
 * Performs the handshake over `tcp`, from which `opening` has been read, and resolves to the WebSocket. The caller sets
 * the deadline.
 *
 * @throws {Refusal} BAD_FRAME, or FORBIDDEN for a foreign Origin; its rejection is the HTTP response with the reason.
 */
export async function acceptWebSocket(
  tcp: Duplex,
  opening: Uint8Array,
  policy: Policy,
): Promise<WebSocketDuplex> {
  const handshake = new ServerHandshake(policy);
  let outcome = handshake.push(opening);
  while (outcome.kind === "more") outcome = await readMore(tcp, handshake);
  if (outcome.kind === "refused") throw refusalOf(outcome);
  await writeAll(tcp, outcome.response);
  tcp.unread(outcome.rest);
  return new WebSocketDuplex(tcp, "server");
}

/** The HTTP response to a client that is refused during its handshake. */
export function httpRefusal({ reason, message }: Refusal): Uint8Array {
  return refusedWith(reason === "ID_TIMEOUT" ? 408 : 503, message).response;
}

async function readMore(tcp: Duplex, handshake: ServerHandshake): Promise<HandshakeResult> {
  const buffer = acquire(READ_BYTES);
  const count = await tcp.read(buffer);
  const outcome = count === null ? CUT : handshake.push(buffer.slice(0, count));
  release(buffer);
  return outcome;
}

const CUT = refusedWith(400, "the request ended within its head");

function refusalOf({ status, why, response }: HandshakeResult & { kind: "refused" }): Refusal {
  const reason = status === 403 ? "FORBIDDEN" : "BAD_FRAME";
  return new Refusal(reason, `WebSocket handshake refused with ${status}: ${why}`, {
    rejection: response,
  });
}
