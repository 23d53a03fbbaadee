/** Writes many lines in few large pieces, apart from their producers. */

import { sleep } from "../util/async.ts";
import { TextBuffer } from "./text_buffer.ts";

/** Longest time that a line waits for others, in milliseconds. */
const FLUSH_MS = 100;

/** Bytes that are written without waiting for more. */
const BATCH_BYTES = 64 << 10;

/** Lines that are buffered while writing is slow or fails. */
const MAX_LINES = 20_000;

/** Pause before a failed write is tried again, in milliseconds: the first, and the longest after doubling. */
const RETRY_MS = { first: 50, longest: 1000 };

/** A sink of bytes that takes a part of them and resolves to its length. */
export interface Output {
  write(bytes: Uint8Array): Promise<number>;
}

/** Options of a batched output. */
export interface BatchedOutputOptions {
  /** @default 20000 */
  readonly maxLines?: number;
  /** Called after each batch that was written whole. @default nothing */
  readonly onWritten?: () => void;
}

/**
 * Gathers lines and writes them at intervals. A failed write is tried again from the byte at which it failed, until it
 * succeeds: a disk that was full and is freed, or a pipe that was full for a moment, loses nothing. Meanwhile lines are
 * buffered, up to a limit. It never closes its output.
 */
export class BatchedOutput implements Disposable {
  readonly #output: Output;
  readonly #maxLines: number;
  readonly #onWritten: () => void;
  readonly #given = new AbortController();
  /** Encoded at once: many strings that wait would outlive young collections. */
  readonly #text = new TextBuffer();
  #lines = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | undefined;
  #failure: unknown;

  constructor(output: Output, { maxLines = MAX_LINES, onWritten = () => {} }: BatchedOutputOptions = {}) {
    this.#output = output;
    this.#maxLines = maxLines;
    this.#onWritten = onWritten;
  }

  /** Why the last write failed; undefined if it has not. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Whether everything added has been written. */
  get idle(): boolean {
    return this.#writing === undefined && this.#lines === 0;
  }

  /**
   * Adds a line, its newline included. False if it is lost, because as many as are allowed are buffered already.
   *
   * @param isUrgent Whether it is added all the same.
   */
  add(line: string, isUrgent = false): boolean {
    return this.addWith((text) => text.add(line), isUrgent);
  }

  /** Adds the line that `write` adds to the text; the same as `add` otherwise. */
  addWith(write: (text: TextBuffer) => void, isUrgent = false): boolean {
    if (this.#lines >= this.#maxLines && !isUrgent) return false;
    write(this.#text);
    this.#lines += 1;
    if (this.#writing) return true;
    if (this.#text.length >= BATCH_BYTES) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
    return true;
  }

  /** Adds lines of which another thread has gathered as many as may be buffered. Resolves once they are written or given up. */
  async addBatch(lines: Uint8Array): Promise<void> {
    this.addWith((text) => text.addBytes(lines), true);
    this.#flush();
    await this.#writing;
  }

  /** Writes the buffered lines. Always resolves, when they are written or given up. */
  async close(): Promise<void> {
    this.#flush();
    await this.#writing;
  }

  /** Gives up what cannot be written. */
  [Symbol.dispose](): void {
    this.#given.abort();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines > 0) this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    while (this.#lines > 0) await this.#writeBatch();
    this.#writing = undefined;
  }

  async #writeBatch(): Promise<void> {
    const batch = this.#text.take();
    this.#lines = 0;
    const { signal } = this.#given;
    let pause = RETRY_MS.first;
    for (let done = 0; done < batch.length && !signal.aborted;) {
      const count = await this.#tryWrite(batch.subarray(done));
      done += count;
      if (count === 0) await sleep(pause, signal);
      pause = count > 0 ? RETRY_MS.first : Math.min(2 * pause, RETRY_MS.longest);
    }
    if (signal.aborted) return;
    this.#text.reuse(batch);
    this.#onWritten();
  }

  /** The number of bytes that were written: 0 if that failed. */
  async #tryWrite(bytes: Uint8Array): Promise<number> {
    try {
      const count = await this.#output.write(bytes);
      this.#failure = undefined;
      return count;
    } catch (error) {
      this.#failure = error;
      return 0;
    }
  }
}
