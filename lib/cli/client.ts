/** `switchyard client`: the acceptance client. */

import { runClient } from "../acceptance/client.ts";
import type { Receipt } from "../acceptance/receipt.ts";
import { messageOf, UsageError } from "../errors.ts";
import { plain } from "../util/text.ts";
import { painter } from "./colors.ts";
import { type CommandSpec, readFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { progressBar } from "./progress.ts";
import { TARGET_FLAGS, targetFlag, wholeNumberFlag } from "./values.ts";

export const spec: CommandSpec = {
  name: "client",
  summary: "Sends an ID and random numbers, and compares the receipt of the upstream.",
  flags: {
    id: { value: "ID", required: true, help: "the client's ID" },
    ...TARGET_FLAGS,
    count: { value: "N", help: "numbers to send (1000)" },
    seed: { value: "N", help: "seed of the pseudo-random numbers (any)" },
    quiet: { help: "print nothing if the receipt agrees" },
  },
  examples: ["client --id 1 --connect example.com:8888", "client --id 1 --connect ws://example.com:8888/"],
};

/** Exit status 0 only if count, sum and CRC-32 agree at both ends. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const { quiet, ...settings } = await readClient(args);
  const { id, count } = settings;
  const name = plain(`client ${id}`);
  const bar = quiet ? undefined : progressBar(io, name, count);
  try {
    // the last step is for the receipt: a refused client may have sent all of its numbers
    const result = await runClient({
      ...settings,
      onProgress: (sent) => bar?.draw(Math.min(sent, count - 1)),
    });
    bar?.draw(count);
    const { sent, received, agrees } = result;
    if (!agrees) throw new Error(`sent ${receiptText(sent)}; the upstream received ${receiptText(received)}`);
    const ok = painter(io, "out")("good", "ok");
    if (!quiet) io.out(`${name}: sent ${receiptText(sent)}; received the same: ${ok}`);
    return 0;
  } catch (error) {
    bar?.end();
    io.err(`${painter(io, "err")("bad", `${name}:`)} ${plain(messageOf(error))}`);
    return 1;
  }
}

async function readClient(args: readonly string[]) {
  const problems: string[] = [];
  const flags = readFlags(args, spec, problems);
  const id = flags.value("id") ?? "";
  const connect = await targetFlag(flags, problems);
  const count = wholeNumberFlag("count", flags, { otherwise: 1000 }, problems);
  const [random = 1] = crypto.getRandomValues(new Uint32Array(1));
  const seed = wholeNumberFlag("seed", flags, { otherwise: random }, problems);
  if (problems.length > 0) throw new UsageError(problems);
  return { id, connect, count, seed, quiet: flags.has("quiet") };
}

/** `1000 numbers, sum 12, crc32 2822062704`: the CRC in decimal, as in the JSON of the receipt. */
export function receiptText({ count, sum, crc32 }: Receipt): string {
  return `${count} numbers, sum ${sum}, crc32 ${crc32}`;
}
