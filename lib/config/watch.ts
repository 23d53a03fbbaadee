/** Noticing that a file has changed, however it was changed. */

import { messageOf } from "../errors.ts";
import { sleep } from "../util/async.ts";

/** A file that stays the same for so long has been written completely, in milliseconds. */
const SETTLED_MS = 100;

/** How often the file is looked at where nothing says that it has changed: on some file systems nothing ever does. */
const LOOK_MS = 5000;

/** Who hears of it. */
export interface WatchEvents {
  readonly onChange: () => void;
  /** The folder can't be watched: changes are noticed by looking alone. */
  readonly onBlind?: (problem: string) => void;
}

/**
 * Watches a file by its folder, since a watch on the file itself goes dead when another takes its place; and looks at
 * the file now and then as well. Rewriting, renaming, removing and bringing back count as changes, and so does swapping
 * a symbolic link on the way to the file. What has not been written completely is waited for.
 */
export class FileWatch implements AsyncDisposable {
  readonly #file: string;
  readonly #lookMs: number;
  readonly #ended = new AbortController();
  /** Whether something may have happened in the folder since the last look. */
  #stirred = true;
  #wake: (() => void) | undefined;
  #seen: string;
  #watcher: Deno.FsWatcher | undefined;
  #running: readonly Promise<void>[] = [];

  /** What is in the file now counts as known. */
  constructor(file: string, { lookMs = LOOK_MS }: { lookMs?: number } = {}) {
    this.#file = file;
    this.#lookMs = lookMs;
    this.#seen = signature(file);
  }

  /** Begins to tell of changes since it was constructed. */
  start(events: WatchEvents): void {
    this.#running = [this.#listen(events), this.#look(events)];
  }

  /** What is in the file now is known, since it is about to be read. */
  know(): void {
    this.#seen = signature(this.#file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    this.#stir();
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

  async #look({ onChange }: WatchEvents): Promise<void> {
    let last = this.#seen;
    while (!this.#ended.signal.aborted) {
      if (last === this.#seen) await this.#quiet();
      else await sleep(SETTLED_MS, this.#ended.signal);
      const now = signature(this.#file);
      if (now === last && now !== this.#seen && !this.#ended.signal.aborted) {
        this.#seen = now;
        onChange();
      }
      last = now;
    }
  }

  /** Until something happens in the folder, or it is time for a look. */
  async #quiet(): Promise<void> {
    if (!this.#stirred) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, this.#lookMs);
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

/** What changes when the file does; symbolic links are followed. */
function signature(file: string): string {
  try {
    const { dev, ino, size, mtime } = Deno.statSync(file);
    return `${dev} ${ino} ${size} ${mtime?.getTime()}`;
  } catch (error) {
    return messageOf(error);
  }
}
