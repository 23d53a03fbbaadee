/** A health check of one server: connects, and optionally sends a request and reads the answer. */

import type { HealthCheck } from "../config/config.ts";
import { encodeId } from "../frame/tlv.ts";
import { type Duplex, writeAll } from "../transport/duplex.ts";
import { encodeLocalHeader } from "../transport/proxy_protocol/header.ts";
import type { Server } from "../upstream/server.ts";
import { concat } from "../util/bytes.ts";
import { Deadlines, type TimeLimit } from "../util/deadlines.ts";
import { durationText, quote } from "../util/text.ts";
import { openServer } from "./open_server.ts";
import type { DialSettings } from "./dial_settings.ts";

/** Size of the part of the answer that is searched for the expected text, in bytes. */
const ANSWER_BYTES = 4096;

/**
 * Checks `server` once, and closes everything again.
 *
 * @throws Error with the reason for the failure, at the latest after the check's timeout, or when `signal` is aborted
 */
export async function checkServer(
  server: Server,
  check: HealthCheck,
  settings: DialSettings,
  signal: AbortSignal,
): Promise<void> {
  const deadlines = new Deadlines(check.timeout);
  const abort = () => deadlines.expireAll();
  signal.addEventListener("abort", abort);
  using deadline = deadlines.start();
  try {
    await talkTo(server, check, settings, deadline);
  } finally {
    signal.removeEventListener("abort", abort);
    deadlines.close();
  }
}

async function talkTo(
  server: Server,
  check: HealthCheck,
  settings: DialSettings,
  limit: TimeLimit,
): Promise<void> {
  const header = settings.proxyProtocol ? encodeLocalHeader(settings.proxyProtocol) : undefined;
  const duplex = await openServer({ server, header }, limit, settings);
  try {
    await limit.guard(exchange(duplex, check), () => unanswered(check));
  } finally {
    duplex.close();
  }
}

async function exchange(duplex: Duplex, { send, id, expect }: HealthCheck): Promise<void> {
  const request = id === undefined ? new TextEncoder().encode(send ?? "") : encodeId(id);
  if (request.length > 0) await writeAll(duplex, request);
  if (expect !== undefined) await readUntil(duplex, expect);
}

async function readUntil(duplex: Duplex, expect: string): Promise<void> {
  let answer = new Uint8Array();
  while (answer.length < ANSWER_BYTES) {
    const chunk = new Uint8Array(ANSWER_BYTES - answer.length);
    const count = await duplex.read(chunk);
    if (count === null) break;
    answer = concat([answer, chunk.subarray(0, count)]);
    if (new TextDecoder().decode(answer).includes(expect)) return;
  }
  const found = quote(new TextDecoder().decode(answer));
  throw new Error(`it answered ${found}, expected ${quote(expect)}`);
}

function unanswered({ timeout, expect }: HealthCheck): Error {
  const what = expect === undefined ? "it did not accept the request" : `it did not answer ${quote(expect)}`;
  return new Deno.errors.TimedOut(`${what} within ${durationText(timeout)}`);
}
