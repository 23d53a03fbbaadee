/** Whether the system lets this process open as many files as the configuration asks for. */

import type { Config } from "../config/config.ts";
import { LINGER_MOST } from "../transport/linger.ts";

/** Listeners, the program's own files, and some to spare. */
const OWN_FILES = 100;

/** Most files that are tried, which takes a hundredth of a millisecond each: enough for 32,000 connections. */
const MOST_TRIED = 65_536;

/** What decides how many files are wanted. */
type Wants = Pick<Config, "limits" | "listeners" | "routes" | "default">;

/**
 * Files that are open with every place of `limits.connections` taken: two each, the client's and the upstream's, and
 * two more for each side that speaks TLS.
 */
export function filesWanted(config: Wants): number {
  return filesEach(config) * config.limits.connections + LINGER_MOST + OWN_FILES;
}

function filesEach({ listeners, routes, default: fallback }: Wants): number {
  const sides = [listeners.some(({ tls }) => tls), Boolean(fallback?.tls) || routes.some(({ tls }) => tls)];
  return 2 + 2 * sides.filter(Boolean).length;
}

/**
 * What is wrong with the limit of open files, and what to do about it; undefined where nothing is.
 *
 * The limit itself stands in `/proc/self/limits`, which may not be read under `--allow-read` alone: so it is found by
 * opening files until no more can be, before anything else needs one.
 */
export function openFilesProblem(
  config: Wants,
  open = openOne,
): string | undefined {
  const wanted = filesWanted(config);
  const held = countOpenable(Math.min(wanted, MOST_TRIED), open);
  if (held >= Math.min(wanted, MOST_TRIED)) return undefined;
  const fits = Math.max(1, Math.floor((held - LINGER_MOST - OWN_FILES) / filesEach(config)));
  return `only ${held} more files can be opened, and limits.connections: ${config.limits.connections} needs ` +
    `${wanted}: raise the limit (ulimit -n ${wanted}, LimitNOFILE=${wanted} in a systemd unit), ` +
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
