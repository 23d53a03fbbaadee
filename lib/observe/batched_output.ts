/** Writing many small pieces as few large ones. */

import { concat } from "../util/bytes.ts";
import { sleep } from "../util/async.ts";

/** Bytes that are gathered before the writer has to wait. */
const BATCH_BYTES = 64 << 10;

/** Pause before a failed write is tried again, in milliseconds: the first, and the longest after doubling. */
const RETRY_MS = { first: 50, longest: 1000 };

/** A sink of bytes that takes a part of them and resolves to its length. */
export interface Output {
  write(bytes: Uint8Array): Promise<number>;
}

/** What tests and the log set. */
export interface BatchedOutputOptions {
  /** Called after each batch that was written whole. @default nothing */
  readonly onWritten?: () => void;
}

/**
 * Gathers what is written to `stream` while `output` is busy, and in the same turn of the event loop, and writes it at
 * once. A failed write is tried again from the byte at which it failed, until it succeeds: a disk that was full and is
 * freed, or a pipe that was full for a moment, loses nothing. Meanwhile the stream's writer waits.
 */
export class BatchedOutput implements UnderlyingSink<Uint8Array>, Disposable {
  /** Closing it waits until everything is written; it never closes `output`, and never fails. */
  readonly stream: WritableStream<Uint8Array>;
  readonly #output: Output;
  readonly #onWritten: () => void;
  readonly #given = new AbortController();
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #writing: Promise<void> | undefined;
  #failure: unknown;

  constructor(output: Output, { onWritten = () => {} }: BatchedOutputOptions = {}) {
    this.#output = output;
    this.#onWritten = onWritten;
    this.stream = new WritableStream(this);
  }

  /** Why the last write failed; undefined where it has not. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Whether everything given has been written. */
  get idle(): boolean {
    return this.#writing === undefined;
  }

  /** Called by `stream`. */
  async write(piece: Uint8Array): Promise<void> {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    this.#writing ??= this.#writeAll();
    if (this.#bytes >= BATCH_BYTES) await this.#writing;
  }

  /** Called by `stream`. */
  async close(): Promise<void> {
    await this.#writing;
  }

  /** Gives up what cannot be written. */
  [Symbol.dispose](): void {
    this.#given.abort();
  }

  async #writeAll(): Promise<void> {
    await sleep(0);
    while (this.#pieces.length > 0) await this.#writeBatch();
    this.#writing = undefined;
  }

  async #writeBatch(): Promise<void> {
    const batch = concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    const { signal } = this.#given;
    let pause = RETRY_MS.first;
    for (let done = 0; done < batch.length && !signal.aborted;) {
      const count = await this.#tryWrite(batch.subarray(done));
      done += count;
      if (count === 0) await sleep(pause, signal);
      pause = count > 0 ? RETRY_MS.first : Math.min(2 * pause, RETRY_MS.longest);
    }
    if (!signal.aborted) this.#onWritten();
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
