/** Notices that files have changed, however they were changed. */

import { messageOf } from "../errors.ts";
import { sleep } from "../util/async.ts";
import { statFile } from "../util/read_file.ts";

/** A file that stays the same for this long has been written completely, in milliseconds. */
const SETTLED_MS = 100;

/** How often the file is checked without an event: some file systems send none. */
const CHECK_MS = 5000;

/** Callbacks of a watch. */
export interface WatchEvents {
  readonly onChange: () => void;
  /** A folder cannot be watched: changes are noticed by checking its files alone. */
  readonly onBlind?: (problem: string) => void;
}

/**
 * Watches files through their folders, since a watch on a file itself goes dead when another replaces it, and checks
 * the files now and then as well. Rewriting, renaming, removing and restoring count as changes, and so does swapping a
 * symbolic link on the way to a file. A change counts once all files have been written completely.
 */
export class FileWatch implements AsyncDisposable {
  readonly #file: string;
  readonly #checkMs: number;
  readonly #ended = new AbortController();
  /** Whether something may have happened in a folder since the last check. */
  #stirred = true;
  #wake: (() => void) | undefined;
  /** The content of each file that is known, by its path. */
  #known: ReadonlyMap<string, string>;
  #events: WatchEvents | undefined;
  readonly #watchers = new Map<string, Deno.FsWatcher | undefined>();
  readonly #running: Promise<void>[] = [];

  private constructor(file: string, checkMs: number, known: string) {
    this.#file = file;
    this.#checkMs = checkMs;
    this.#known = new Map([[file, known]]);
  }

  /** A watch for which the present content of `file` is known. */
  static async create(file: string, { checkMs = CHECK_MS }: { checkMs?: number } = {}): Promise<FileWatch> {
    return new FileWatch(file, checkMs, await signature(file));
  }

  /** Starts to report changes since it was created. */
  start(events: WatchEvents): void {
    this.#events = events;
    this.#listenToFolders();
    this.#running.push(this.#check(events));
  }

  /** The present content of the file counts as known, since it is about to be read; that of the others too. */
  async know(): Promise<void> {
    this.#known = await signatures(this.#known.keys());
    this.#stir();
  }

  /** Watches `others` besides the file, in place of those so far. Their present content counts as known. */
  async follow(others: readonly string[]): Promise<void> {
    const known = this.#known.get(this.#file) ?? "";
    this.#known = new Map([...await signatures(others), [this.#file, known]]);
    if (this.#events) this.#listenToFolders();
    this.#stir();
  }

  /**
   * Reports nothing more, and leaves the folders' watches to the end of the process.
   *
   * On Deno 2.9.6 the thread behind `Deno.watchFs` opens a FIFO that appears in the folder, and hangs; closing the watch
   * then blocks the main thread too.
   */
  stop(): void {
    this.#ended.abort();
    this.#stir();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    for (const watcher of this.#watchers.values()) watcher?.close();
    await Promise.all(this.#running);
  }

  /** Folders of files that are followed no more stay watched: see `stop`. */
  #listenToFolders(): void {
    for (const file of this.#known.keys()) {
      const folder = file.slice(0, file.length - basename(file).length) || ".";
      if (!this.#watchers.has(folder)) this.#running.push(this.#listen(folder));
    }
  }

  async #listen(folder: string): Promise<void> {
    this.#watchers.set(folder, undefined);
    try {
      const watcher = Deno.watchFs(folder, { recursive: false });
      this.#watchers.set(folder, watcher);
      for await (const event of watcher) if (this.#concerns(event)) this.#stir();
    } catch (error) {
      if (!this.#ended.signal.aborted) this.#events?.onBlind?.(messageOf(error));
    }
  }

  /** Whether a file may have changed: not if the content of another one did, such as a log in the same folder. */
  #concerns({ kind, paths }: Deno.FsEvent): boolean {
    if (kind !== "modify" && kind !== "access") return true;
    const names = new Set([...this.#known.keys()].map(basename));
    return paths.some((path) => names.has(basename(path)));
  }

  async #check({ onChange }: WatchEvents): Promise<void> {
    let last = this.#known;
    while (!this.#ended.signal.aborted) {
      if (isSame(last, this.#known)) await this.#idle();
      else await sleep(SETTLED_MS, this.#ended.signal);
      const known = this.#known;
      const now = await signatures(known.keys());
      // `know` and `follow` may have replaced it meanwhile
      const isSettled = isSame(now, last) && known === this.#known;
      if (isSettled && !isSame(now, known) && !this.#ended.signal.aborted) {
        this.#known = now;
        onChange();
      }
      last = known === this.#known ? now : this.#known;
    }
  }

  /** Waits until something happens in a folder, or it is time for a check. */
  async #idle(): Promise<void> {
    if (!this.#stirred) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, this.#checkMs);
      this.#wake = resolve;
      await promise;
      clearTimeout(timer);
    }
    this.#stirred = false;
  }

  #stir(): void {
    this.#stirred = true;
    this.#wake?.();
  }
}

/** What follows the last separator. */
function basename(file: string): string {
  return file.replace(/^.*[/\\]/s, "");
}

async function signatures(files: Iterable<string>): Promise<ReadonlyMap<string, string>> {
  return new Map(await Promise.all([...files].map(async (file) => [file, await signature(file)] as const)));
}

function isSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([file, known]) => other.get(file) === known);
}

/** A text that changes when the file does; symbolic links are followed. */
async function signature(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtime } = await statFile(file);
    return `${dev} ${ino} ${size} ${mtime?.getTime()}`;
  } catch (error) {
    return error instanceof Error && error.cause instanceof Deno.errors.NotFound ? "missing" : "unreadable";
  }
}
