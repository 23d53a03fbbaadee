/** Writing many small pieces as few large ones. */

import { concat } from "../util/bytes.ts";
import { sleep } from "../util/async.ts";

/** How much may be gathered before whoever writes has to wait, in bytes. */
const BATCH_BYTES = 64 << 10;

/** What bytes are written to: it takes a part of them and says how many. */
export interface Output {
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * A stream that gathers what is written to it while `output` is busy, and in the same turn of the event loop, and
 * writes it at one go. It never closes `output`. When writing fails, so does the next piece, and closing.
 */
export function batchesTo(output: Output): WritableStream<Uint8Array> {
  return new WritableStream(new Batches(output));
}

class Batches implements UnderlyingSink<Uint8Array> {
  readonly #output: Output;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #writing: Promise<void> | undefined;
  #failed: { cause: unknown } | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  async write(piece: Uint8Array): Promise<void> {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    this.#writing ??= this.#writeAll();
    if (this.#bytes >= BATCH_BYTES) await this.#writing;
    if (this.#failed) throw this.#failed.cause;
  }

  async close(): Promise<void> {
    await this.#writing;
    if (this.#failed) throw this.#failed.cause;
  }

  /** Never rejects: nobody may be waiting for it. */
  async #writeAll(): Promise<void> {
    try {
      await sleep(0);
      while (this.#pieces.length > 0) await this.#writeBatch();
    } catch (cause) {
      this.#failed = { cause };
    } finally {
      this.#writing = undefined;
    }
  }

  async #writeBatch(): Promise<void> {
    const batch = concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    for (let done = 0; done < batch.length;) done += await this.#output.write(batch.subarray(done));
  }
}
