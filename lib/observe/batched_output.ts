/** Writes many lines in few large pieces, apart from their producers. */

import { sleep } from "../util/async.ts";
import { concat } from "../util/bytes.ts";

/** Longest time that a line waits for others, in milliseconds. */
const FLUSH_MS = 100;

/** Bytes that are written without waiting for more. */
const BATCH_BYTES = 64 << 10;

/** Size of a buffer that lines are encoded into, in bytes. */
const BUFFER_BYTES = BATCH_BYTES + (16 << 10);

/** Most bytes of UTF-8 for a character of a string. */
const MAX_BYTES_EACH = 3;

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

const encoder = new TextEncoder();

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
  #buffer: Uint8Array = new Uint8Array(0);
  #used = 0;
  /** One that was written, to be used again. */
  #spare: Uint8Array | undefined;
  /** Full buffers, the oldest first. */
  #full: Uint8Array[] = [];
  #lines = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | undefined;
  #failure: unknown;

  constructor(output: Output, { maxLines = MAX_LINES, onWritten = () => {} }: BatchedOutputOptions = {}) {
    this.#output = output;
    this.#maxLines = maxLines;
    this.#onWritten = onWritten;
  }

  /** Why the last write failed; undefined where it has not. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Whether everything added has been written. */
  get idle(): boolean {
    return this.#writing === undefined && this.#lines === 0;
  }

  /**
   * Adds a line, its newline included. False where it is lost, because as many as are allowed are buffered already.
   *
   * @param isUrgent Whether it is added all the same.
   */
  add(line: string, isUrgent = false): boolean {
    if (this.#lines >= this.#maxLines && !isUrgent) return false;
    this.#encode(line);
    this.#lines += 1;
    if (this.#writing) return true;
    if (this.#used >= BATCH_BYTES) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
    return true;
  }

  /** Adds lines of which another thread has gathered as many as may be buffered. Resolves once they are written or given up. */
  async addBatch(lines: string): Promise<void> {
    this.add(lines, true);
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
    const batch = this.#taken();
    const { signal } = this.#given;
    let pause = RETRY_MS.first;
    for (let done = 0; done < batch.length && !signal.aborted;) {
      const count = await this.#tryWrite(batch.subarray(done));
      done += count;
      if (count === 0) await sleep(pause, signal);
      pause = count > 0 ? RETRY_MS.first : Math.min(2 * pause, RETRY_MS.longest);
    }
    if (signal.aborted) return;
    if (batch.buffer.byteLength === BUFFER_BYTES) this.#spare = new Uint8Array(batch.buffer);
    this.#onWritten();
  }

  #encode(line: string): void {
    const most = line.length * MAX_BYTES_EACH;
    if (this.#buffer.length - this.#used < most) {
      this.#shelve();
      this.#buffer = this.#newBuffer(most);
    }
    this.#used += encoder.encodeInto(line, this.#buffer.subarray(this.#used)).written;
  }

  /** A buffer of at least `bytes`. */
  #newBuffer(bytes: number): Uint8Array {
    if (bytes > BUFFER_BYTES) return new Uint8Array(bytes);
    const spare = this.#spare ?? new Uint8Array(BUFFER_BYTES);
    this.#spare = undefined;
    return spare;
  }

  #shelve(): void {
    if (this.#used > 0) this.#full.push(this.#buffer.subarray(0, this.#used));
    this.#buffer = new Uint8Array(0);
    this.#used = 0;
  }

  /** Takes all lines, as one piece. */
  #taken(): Uint8Array {
    this.#shelve();
    const [first = new Uint8Array(0), ...others] = this.#full;
    const batch = others.length === 0 ? first : concat([first, ...others]);
    this.#full = [];
    this.#lines = 0;
    return batch;
  }

  /** The number of bytes that were written: 0 where that failed. */
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
