/** Notices that a file has changed, however it was changed. */

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
  /** The folder cannot be watched: changes are noticed by checking the file alone. */
  readonly onBlind?: (problem: string) => void;
}

/**
 * Watches a file through its folder, since a watch on the file itself goes dead when another replaces it, and checks
 * the file now and then as well. Rewriting, renaming, removing and restoring count as changes, and so does swapping a
 * symbolic link on the way to the file. A change counts once the file has been written completely.
 */
export class FileWatch implements AsyncDisposable {
  readonly #file: string;
  readonly #checkMs: number;
  readonly #ended = new AbortController();
  /** Whether something may have happened in the folder since the last check. */
  #stirred = true;
  #wake: (() => void) | undefined;
  #known: string;
  #watcher: Deno.FsWatcher | undefined;
  #running: readonly Promise<void>[] = [];

  private constructor(file: string, checkMs: number, known: string) {
    this.#file = file;
    this.#checkMs = checkMs;
    this.#known = known;
  }

  /** A watch for which the present content of `file` is known. */
  static async create(file: string, { checkMs = CHECK_MS }: { checkMs?: number } = {}): Promise<FileWatch> {
    return new FileWatch(file, checkMs, await signature(file));
  }

  /** Starts to report changes since it was created. */
  start(events: WatchEvents): void {
    this.#running = [this.#listen(events), this.#check(events)];
  }

  /** The present content of the file counts as known, since it is about to be read. */
  async know(): Promise<void> {
    this.#known = await signature(this.#file);
  }

  /**
   * Reports nothing more, and leaves the folder's watch to the end of the process.
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
    this.#watcher?.close();
    await Promise.all(this.#running);
  }

  async #listen({ onBlind }: WatchEvents): Promise<void> {
    const folder = this.#file.replace(/[^/\\]*$/, "") || ".";
    try {
      this.#watcher = Deno.watchFs(folder, { recursive: false });
      for await (const _ of this.#watcher) this.#stir();
    } catch (error) {
      if (!this.#ended.signal.aborted) onBlind?.(messageOf(error));
    }
  }

  async #check({ onChange }: WatchEvents): Promise<void> {
    let last = this.#known;
    while (!this.#ended.signal.aborted) {
      if (last === this.#known) await this.#idle();
      else await sleep(SETTLED_MS, this.#ended.signal);
      const now = await signature(this.#file);
      if (now === last && now !== this.#known && !this.#ended.signal.aborted) {
        this.#known = now;
        onChange();
      }
      last = now;
    }
  }

  /** Waits until something happens in the folder, or it is time for a check. */
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

/** A text that changes when the file does; symbolic links are followed. */
async function signature(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtime } = await statFile(file);
    return `${dev} ${ino} ${size} ${mtime?.getTime()}`;
  } catch (error) {
    return error instanceof Error && error.cause instanceof Deno.errors.NotFound ? "missing" : "unreadable";
  }
}
