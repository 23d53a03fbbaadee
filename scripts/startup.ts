// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * Measures how long a command takes from its start until it accepts a connection, and fails if the median is more
 * than MAX_MS.
 *
 *     deno run -A scripts/startup.ts COMMAND [ARG ...]
 *
 * COMMAND starts the balancer, such as `dist/switchyard`; `serve --listen HOST:PORT --route …` is appended.
 */

import { sleep } from "../lib/util/async.ts";
import { freePort, isListening } from "./bench/processes.ts";
import { median } from "./statistics.ts";

/** Maximum median from start to listening, in milliseconds. */
export const MAX_MS = 350;

const STARTS = 9;

/** Pause between attempts to connect, in milliseconds: the measurement's resolution. */
const ATTEMPT_MS = 2;

/** Starts that take longer than this have failed, in milliseconds. */
const DEADLINE_MS = 20_000;

/** Milliseconds from the start of `command` to the first connection that it accepts. */
export async function startupTime(command: readonly string[]): Promise<number> {
  const [program = "", ...args] = command;
  const port = freePort();
  const flags = ["serve", "--listen", `127.0.0.1:${port}`, "--route", "1=127.0.0.1:1"];
  const began = performance.now();
  const child = new Deno.Command(program, { args: [...args, ...flags], stdout: "null", stderr: "null" })
    .spawn();
  try {
    while (!await isListening(port)) {
      if (performance.now() - began > DEADLINE_MS) {
        throw new Error(`${command.join(" ")} does not listen within ${DEADLINE_MS} ms`);
      }
      await sleep(ATTEMPT_MS);
    }
    return performance.now() - began;
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}

if (import.meta.main) {
  const times: number[] = [];
  for (let start = 0; start < STARTS; start++) times.push(await startupTime(Deno.args));
  const [middle, least, most] = [median(times), Math.min(...times), Math.max(...times)].map(Math.round);
  console.log(`from start to listening: median ${middle} ms of ${STARTS} starts, ${least} to ${most} ms`);
  if (median(times) > MAX_MS) console.error(`startup: expected at most ${MAX_MS} ms`);
  Deno.exit(median(times) <= MAX_MS ? 0 : 1);
}
