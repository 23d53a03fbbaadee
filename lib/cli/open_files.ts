/** How many connections the system's limit of open files allows. */

import { type Config, DEFAULT_CONNECTIONS } from "../config/config.ts";
import { LINGER_MOST } from "../transport/linger.ts";

/** Listeners, the program's own files, and some to spare. */
const OWN_FILES = 100;

/** Most files that are tried, which takes a hundredth of a millisecond each: enough for 32,000 connections. */
const MAX_TRIED = 65_536;

/** Open files of a relayed connection: the client's socket and the upstream's. */
const FILES_EACH = 2;

/** Opens one file; tests replace it. */
type Open = () => Disposable;

/** The limit of open files, as far as it was tried at the start, before anything else needed one. */
export class OpenFiles {
  readonly #held: number;

  /**
   * The limit itself is in `/proc/self/limits`, which cannot be read under `--allow-read` alone: so files are opened
   * until no more can be.
   */
  constructor(config: Pick<Config, "limits">, open: Open = openOne) {
    this.#held = countOpenable(Math.min(filesNeeded(connectionsOf(config)), MAX_TRIED), open);
  }

  /** `config` with `limits.connections`, which is as many as fit where the file has none. */
  withLimit<T extends Pick<Config, "limits">>(config: T): T {
    if (config.limits.connections !== undefined) return config;
    const spare = Math.min(LINGER_MOST + OWN_FILES, Math.floor(this.#held / 2));
    const connections = Math.min(
      DEFAULT_CONNECTIONS,
      Math.max(1, Math.floor((this.#held - spare) / FILES_EACH)),
    );
    return { ...config, limits: { ...config.limits, connections } };
  }

  /** Why the limit is too low for the connections that the file wants, and what to do about it; else undefined. */
  problem(config: Pick<Config, "limits">): string | undefined {
    const { connections } = config.limits;
    if (connections === undefined) return undefined;
    const needed = filesNeeded(connections);
    if (this.#held >= Math.min(needed, MAX_TRIED)) return undefined;
    const fits = Math.max(1, Math.floor((this.#held - LINGER_MOST - OWN_FILES) / FILES_EACH));
    return `only ${this.#held} more files can be opened, and limits.connections: ${connections} needs ${needed}: ` +
      `raise the limit (ulimit -n ${needed}, LimitNOFILE=${needed} in a systemd unit), ` +
      `or set limits.connections to ${fits}`;
  }
}

/** Files that are open with `connections` connections. */
export function filesNeeded(connections: number): number {
  return FILES_EACH * connections + LINGER_MOST + OWN_FILES;
}

function connectionsOf({ limits: { connections = DEFAULT_CONNECTIONS } }: Pick<Config, "limits">): number {
  return connections;
}

function countOpenable(most: number, open: Open): number {
  using stack = new DisposableStack();
  for (let count = 0; count < most; count++) {
    try {
      stack.use(open());
    } catch {
      return count; // no more can be opened: this is what was asked
    }
  }
  return most;
}

function openOne(): Disposable {
  return Deno.openSync("/dev/null");
}
