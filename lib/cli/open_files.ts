/** Whether the system lets this process open as many files as the configuration asks for. */

import type { Config } from "../config/config.ts";
import { LINGER_MOST } from "../transport/linger.ts";

/** Listeners, the program's own files, and some to spare. */
const OWN_FILES = 100;

/** Most files that are tried, which takes a hundredth of a millisecond each: enough for 32,000 connections. */
const MOST_TRIED = 65_536;

/** Open files of a relayed connection: the client's socket and the upstream's. */
const FILES_EACH = 2;

/** What decides how many files are needed. */
type Needs = Pick<Config, "limits">;

/** Files that are open with every place of `limits.connections` taken. */
export function filesNeeded({ limits }: Needs): number {
  return FILES_EACH * limits.connections + LINGER_MOST + OWN_FILES;
}

/**
 * What is wrong with the limit of open files, and what to do about it; undefined where nothing is.
 *
 * The limit itself stands in `/proc/self/limits`, which may not be read under `--allow-read` alone: so it is found by
 * opening files until no more can be, before anything else needs one.
 */
export function openFilesProblem(
  config: Needs,
  open = openOne,
): string | undefined {
  const needed = filesNeeded(config);
  const held = countOpenable(Math.min(needed, MOST_TRIED), open);
  if (held >= Math.min(needed, MOST_TRIED)) return undefined;
  const fits = Math.max(1, Math.floor((held - LINGER_MOST - OWN_FILES) / FILES_EACH));
  return `only ${held} more files can be opened, and limits.connections: ${config.limits.connections} needs ` +
    `${needed}: raise the limit (ulimit -n ${needed}, LimitNOFILE=${needed} in a systemd unit), ` +
    `or set limits.connections to ${fits}`;
}

function countOpenable(most: number, open: () => Disposable): number {
  using stack = new DisposableStack();
  for (let count = 0; count < most; count++) {
    try {
      stack.use(open());
    } catch {
      return count; // that no more can be opened is what was asked
    }
  }
  return most;
}

function openOne(): Disposable {
  return Deno.openSync("/dev/null");
}
