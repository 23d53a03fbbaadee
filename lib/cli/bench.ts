/** `switchyard bench`: a load generator. */

import { clientTargetText } from "../acceptance/connect.ts";
import { type Load, type LoadMode, type LoadResult, runLoad } from "../bench/load.ts";
import { idExpected } from "../config/values.ts";
import { UsageError } from "../errors.ts";
import { plain, quote } from "../util/text.ts";
import { type CommandSpec, readFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { progressBar } from "./progress.ts";
import { choiceFlag, durationFlag, TARGET_FLAGS, targetFlag, wholeNumberFlag } from "./values.ts";

const MODES: readonly LoadMode[] = ["rtt", "connect", "stream"];

/** The unit of each mode. */
const COUNTED: Readonly<Record<LoadMode, string>> = {
  rtt: "round trips",
  connect: "connections",
  stream: "messages",
};

/** About as many as a machine has ports towards one address. */
const MOST_CONNECTIONS = 60_000;

/** Each answer is held in memory whole, so this bounds the memory that an upstream can use up. */
const MOST_MESSAGE_BYTES = 16 << 20;

/** Longest ID that `limits.id_bytes` can allow. */
const MOST_ID_BYTES = 65_535;

export const spec: CommandSpec = {
  name: "bench",
  summary: "Measures a balancer in front of an echo upstream (a sink for --mode stream).",
  flags: {
    ...TARGET_FLAGS,
    id: { value: "ID", required: true, help: "the ID that all connections send" },
    mode: {
      value: "MODE",
      choices: MODES,
      help: "rtt: round trips (the default), connect: connections, stream: bulk",
    },
    connections: { value: "N", help: "connections at once (16)" },
    duration: { value: "TIME", help: "how long to measure (5s)" },
    "message-bytes": { value: "N", help: "length of a message (64; for stream 65536)" },
  },
  examples: ["bench --id 1 --connect 127.0.0.1:8888 --connections 64"],
};

/** Exit status 1 if nothing could be measured. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const load = await readLoad(args);
  const bar = progressBar(io, "bench", load.duration / 1000, { unit: "s" });
  const result = await runLoad({ ...load, onProgress: (elapsed) => bar.draw(elapsed / 1000) });
  bar.end();
  for (const line of problemLines(result, load)) io.err(`bench: ${plain(line)}`);
  if (result.completed === 0) return 1;
  for (const line of resultLines(result, load)) io.out(line);
  return 0;
}

async function readLoad(args: readonly string[]): Promise<Load> {
  const problems: string[] = [];
  const flags = readFlags(args, spec, problems);
  const id = flags.value("id");
  const wrong = id === undefined ? undefined : idExpected(id, MOST_ID_BYTES);
  if (wrong) problems.push(`--id: ${quote(id)} is not ${wrong}`);
  const mode = choiceFlag("mode", MODES, flags, problems) ?? "rtt";
  const usual = mode === "stream" ? 64 << 10 : 64;
  const load = {
    id: id ?? "",
    mode,
    connect: await targetFlag(flags, problems),
    duration: durationFlag("duration", flags, 5000, problems),
    connections: wholeNumberFlag(
      "connections",
      flags,
      { otherwise: 16, least: 1, most: MOST_CONNECTIONS },
      problems,
    ),
    messageBytes: wholeNumberFlag(
      "message-bytes",
      flags,
      { otherwise: usual, least: 1, most: MOST_MESSAGE_BYTES },
      problems,
    ),
  };
  if (problems.length > 0) throw new UsageError(problems);
  return load;
}

function problemLines({ completed, errors }: LoadResult, { mode }: Load): string[] {
  const lines = [...errors].map(([problem, times]) => times > 1 ? `${problem} (${times} times)` : problem);
  if (completed > 0 || lines.length > 0) return lines;
  return [
    `no ${COUNTED[mode]} completed in time; is the upstream ${mode === "stream" ? "a sink" : "an echo"}?`,
  ];
}

function* resultLines({ completed, bytes, seconds, latency }: LoadResult, load: Load): Generator<string> {
  const { mode, connect, connections, messageBytes } = load;
  const counted = COUNTED[mode];
  yield `${mode} over ${clientTargetText(connect)}: ${connections} connection${
    connections === 1 ? "" : "s"
  }, ${messageBytes} bytes a message, ${seconds.toFixed(1)} s`;
  yield `${rounded(completed / seconds)} ${counted}/s, ${rounded(bytes / seconds / 1e6)} MB/s${
    mode === "stream" ? "" : " each way"
  }; ${completed} ${counted} in all`;
  if (latency.count === 0) return;
  const at = (share: number) => rounded(latency.percentile(share));
  yield `latency in ms: p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, max ${rounded(latency.max)}`;
}

/** Rounded to three digits, or to an integer from 100 on. */
function rounded(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
