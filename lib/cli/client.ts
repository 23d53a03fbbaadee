/** `switchyard client`: the acceptance client. */

import { runClient } from "../acceptance/client.ts";
import type { Receipt } from "../acceptance/receipt.ts";
import { messageOf, UsageError } from "../errors.ts";
import { plain } from "../util/text.ts";
import { type CommandSpec, type ParsedFlags, readFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { progressBar } from "./progress.ts";
import { target, TARGET_FLAGS, wholeNumber } from "./values.ts";

export const spec: CommandSpec = {
  name: "client",
  summary: "Sends an ID and random numbers, and compares what the upstream says that it received.",
  flags: {
    id: { value: "ID", help: "the client's ID" },
    ...TARGET_FLAGS,
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
  const name = plain(`client ${id}`);
  const bar = given.has("quiet") ? undefined : progressBar(io, name, count);
  try {
    const result = runClient({ ...settings, onProgress: (sent) => bar?.draw(sent) });
    const { sent, received, agrees } = await result.finally(() => bar?.end());
    if (!agrees) throw new Error(`sent ${receiptText(sent)}; the upstream received ${receiptText(received)}`);
    if (!given.has("quiet")) io.out(`${name}: sent ${receiptText(sent)}; received the same: ok`);
    return 0;
  } catch (error) {
    io.err(`${name}: ${plain(messageOf(error))}`);
    return 1;
  }
}

function readClient(given: ParsedFlags) {
  const problems: string[] = [];
  const id = given.value("id");
  if (id === undefined) problems.push("client: --id ID is missing");
  const connect = target(given, problems);
  const count = wholeNumber("count", given, { otherwise: 1000 }, problems);
  const [random = 1] = crypto.getRandomValues(new Uint32Array(1));
  const seed = wholeNumber("seed", given, { otherwise: random }, problems);
  if (id === undefined || problems.length > 0) throw new UsageError(problems);
  return { id, connect, count, seed };
}

/** `1000 numbers, sum 12, crc32 0xabcd1234` */
export function receiptText({ count, sum, crc32 }: Receipt): string {
  return `${count} numbers, sum ${sum}, crc32 0x${crc32.toString(16).padStart(8, "0")}`;
}
