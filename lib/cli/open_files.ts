/** The number of connections that the system's limit of open files allows. */

import { type Config, DEFAULT_CONNECTIONS } from "../config/config.ts";
import { LINGER_MOST } from "../transport/linger.ts";
import { sleep } from "../util/async.ts";

/** Files for listeners and the program itself, with some to spare. */
const OWN_FILES = 100;

/** Most files to try, at a hundredth of a millisecond each: enough for 32,000 connections. */
const MAX_TRIED = 65_536;

/** Files to try before listening, within 11 ms, so that the common limit of 1024 is known before the first connection. */
const FIRST_TRIED = 1100;

/** Files that connections may open while `tryRest` pauses: at its most it would leave them none. */
const RESERVE = 256;

/** Files tried between two pauses: those of the reserve once more, and as many further ones. */
const TRIED_AT_ONCE = 2 * RESERVE;

/** Pause between two slices, in milliseconds. */
const REST_MS = 4;

/** Open files of a relayed connection: the client's socket and the upstream's. */
const FILES_EACH = 2;

/** Opens one file; tests replace it. */
type Open = () => Disposable;

/** The limit of open files. */
export class OpenFiles {
  readonly #open: Open;
  /** Files that `config` needs, as far as they are tried. */
  readonly #wanted: number;
  /** Files that can be opened: known up to FIRST_TRIED, assumed above until `tryRest` has tried them. */
  #held: number;
  /** Whether all have been tried. */
  #isTried = false;

  /**
   * The limit itself is in `/proc/self/limits`, which cannot be read under `--allow-read` alone. So files are opened
   * until no more can be: the first ones here, before anything else needs one.
   */
  constructor(config: Pick<Config, "limits">, open: Open = openOne) {
    this.#open = open;
    this.#wanted = Math.min(filesNeeded(connectionsOf(config)), MAX_TRIED);
    const first = Math.min(this.#wanted, FIRST_TRIED);
    const files: Disposable[] = [];
    this.#held = openUpTo(first, files, open) ? files.length : this.#wanted;
    close(files, files.length);
  }

  /**
   * Tries the rest of the files at once, before other threads are started: to one that opens a file at the wrong moment
   * it would look as if there were none left.
   */
  tryAll(): void {
    if (this.#isKnown) return;
    const files: Disposable[] = [];
    if (openUpTo(this.#wanted, files, this.#open)) this.#held = files.length;
    close(files, files.length);
    this.#isTried = true;
  }

  /**
   * Tries the rest of the files in slices, since all of them at once would take a fifth of a second. Whatever is held
   * at a pause, RESERVE further files have been opened and closed again just before it.
   *
   * @param inUse Number of connections, whose files count as openable.
   * @return Whether fewer can be opened than was assumed.
   */
  async tryRest(inUse: () => number, signal?: AbortSignal): Promise<boolean> {
    if (this.#isKnown) return false;
    const files: Disposable[] = [];
    while (files.length < this.#wanted && !signal?.aborted) {
      const most = Math.min(this.#wanted, files.length + TRIED_AT_ONCE);
      const isLimit = openUpTo(most, files, this.#open);
      if (isLimit) this.#held = Math.min(this.#wanted, files.length + FILES_EACH * inUse());
      if (isLimit || files.length === this.#wanted) break;
      close(files, RESERVE);
      await sleep(REST_MS);
    }
    while (files.length > 0) {
      close(files, TRIED_AT_ONCE);
      await sleep(REST_MS);
    }
    return this.#held < this.#wanted;
  }

  get #isKnown(): boolean {
    return this.#isTried || this.#held < this.#wanted || this.#wanted <= FIRST_TRIED;
  }

  /** `config` with `limits.connections`, which is as many as fit if the file has none. */
  withLimit<T extends Pick<Config, "limits">>(config: T): T {
    if (config.limits.connections !== undefined) return config;
    const spare = Math.min(LINGER_MOST + OWN_FILES, Math.floor(this.#held / 2));
    const connections = Math.min(
      DEFAULT_CONNECTIONS,
      Math.max(1, Math.floor((this.#held - spare) / FILES_EACH)),
    );
    return { ...config, limits: { ...config.limits, connections } };
  }

  /** Why the limit is too low for the configured connections, and what to do about it; undefined if it is not. */
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

/** Opens files until there are `most`. Returns whether fewer could be opened. */
function openUpTo(most: number, files: Disposable[], open: Open): boolean {
  while (files.length < most) {
    try {
      files.push(open());
    } catch {
      return true; // no more can be opened: this is what was asked
    }
  }
  return false;
}

/** Closes the newest `count` of the files. */
function close(files: Disposable[], count: number): void {
  for (const file of files.splice(-count)) file[Symbol.dispose]();
}

function openOne(): Disposable {
  return Deno.openSync("/dev/null");
}
