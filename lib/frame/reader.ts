/** Reads frames from a connection, one after another. */

import type { Duplex } from "../transport/duplex.ts";
import { acquire, release } from "../util/buffer_pool.ts";
import { type Frame, FrameDecoder } from "./tlv.ts";

/** Size of a read: small, since thousands of clients may be waiting in their first one. */
const READ_BYTES = 1 << 10;

/**
 * The frames of a byte source, as an async iterator. If a consumer stops early (`break`), `rest` has every byte
 * received after its last frame.
 *
 * Iterating throws `FrameError` at the first byte that cannot be part of a frame, and the errors of the source.
 */
export class FrameReader implements AsyncIterableIterator<Frame> {
  readonly #source: Pick<Duplex, "read">;
  readonly #decoder: FrameDecoder;

  /**
   * @param options.maxValueBytes Maximum length of a value; a longer one is refused on its header alone.
   * @param options.opening Bytes that have been received already.
   */
  constructor(
    source: Pick<Duplex, "read">,
    { maxValueBytes, opening }: { maxValueBytes: number; opening?: Uint8Array | undefined },
  ) {
    this.#source = source;
    this.#decoder = new FrameDecoder({ maxValueBytes });
    if (opening) this.#decoder.push(opening);
  }

  /** Bytes received after the last frame: the beginning of the next one. */
  get rest(): Uint8Array {
    return this.#decoder.pending;
  }

  /** The bytes of all frames since the last read, and `rest`, contiguously. */
  get buffered(): Uint8Array {
    return this.#decoder.buffered;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next frame. Not a generator, which would put further promises behind each call. */
  async next(): Promise<IteratorResult<Frame, undefined>> {
    for (;;) {
      const value = this.#decoder.next();
      if (value) return { value, done: false };
      if (!await this.#receive()) return { value: undefined, done: true };
    }
  }

  async #receive(): Promise<boolean> {
    const buffer = acquire(READ_BYTES);
    const count = await this.#source.read(buffer);
    if (count !== null) this.#decoder.push(buffer.slice(0, count));
    release(buffer);
    return count !== null;
  }
}
