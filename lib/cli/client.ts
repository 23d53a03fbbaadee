/** `switchyard client`: the acceptance client. */

import { runClient } from "../acceptance/client.ts";
import type { Receipt } from "../acceptance/tally.ts";
import { messageOf, UsageError } from "../errors.ts";
import { quote } from "../text.ts";
import { type Given, readFlags, type Spec } from "./flags.ts";
import type { Io } from "./io.ts";
import { progressBar } from "./progress.ts";
import { address } from "./settings.ts";

export const spec: Spec = {
  name: "client",
  summary: "Sends an ID and random numbers, and compares what the upstream says that it received.",
  flags: {
    id: { value: "ID", help: "the client's ID" },
    connect: { value: "HOST:PORT", help: "the balancer (127.0.0.1:8888)" },
    count: { value: "N", help: "how many numbers to send (1000)" },
    seed: { value: "N", help: "start of the pseudo-random numbers (any)" },
    quiet: { help: "print nothing where all agrees" },
  },
};

/** Exit status 0 only where count, sum and CRC-32 agree at both ends. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const given = readFlags(args, spec);
  const settings = readClient(given);
  const { id, count } = settings;
  try {
    const onProgress = given.has("quiet") ? () => {} : progressBar(io, `client ${id}`, count);
    const { sent, received, agrees } = await runClient({ ...settings, onProgress });
    if (!agrees) throw new Error(`sent ${receiptText(sent)}; the upstream received ${receiptText(received)}`);
    if (!given.has("quiet")) io.out(`client ${id}: sent ${receiptText(sent)}; received the same: ok`);
    return 0;
  } catch (error) {
    io.err(`client ${id}: ${messageOf(error)}`);
    return 1;
  }
}

function readClient(given: Given) {
  const problems: string[] = [];
  const id = given.value("id");
  if (id === undefined) problems.push("client: --id ID is missing");
  const target = given.value("connect") ?? "127.0.0.1:8888";
  if (/^wss?:/.test(target)) problems.push(`--connect: ${quote(target)}: WebSocket is not supported yet`);
  const connect = address("--connect", target, problems);
  const count = wholeNumber("count", given, 1000, problems);
  const seed = wholeNumber("seed", given, crypto.getRandomValues(new Uint32Array(1))[0] ?? 1, problems);
  if (id === undefined || problems.length > 0) throw new UsageError(problems);
  return { id, connect, count, seed };
}

/** The value of a flag that takes a whole number, 0 to 2^32-1. */
export function wholeNumber(name: string, given: Given, otherwise: number, problems: string[]): number {
  const text = given.value(name);
  if (text === undefined) return otherwise;
  const number = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(number < 2 ** 32)) problems.push(`--${name}: ${quote(text)} is not a whole number, 0 to 4294967295`);
  return number;
}

/** `1000 numbers, sum 12, crc32 0xabcd1234` */
export function receiptText({ count, sum, crc32 }: Receipt): string {
  return `${count} numbers, sum ${sum}, crc32 0x${crc32.toString(16).padStart(8, "0")}`;
}
