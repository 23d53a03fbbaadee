/**
 * A duplex as web streams. Piping its readable into another duplex moves the bytes in a direct loop over one reused
 * buffer; into any other stream it takes the platform's own path. Both look the same from outside.
 *
 * The direct loop takes the duplex itself rather than its `writable`: two streams of each connection need never be made.
 */

import { ReadBuffer } from "../util/buffer_pool.ts";
import { type Duplex, DuplexError, writeAll } from "./duplex.ts";

/** Size of a chunk on the platform's path, where every chunk is given away: 16 KiB keeps small messages cheap. */
const CHUNK_BYTES = 16 << 10;

async function receive(from: Duplex, into: Uint8Array): Promise<number | null> {
  try {
    const count = await from.read(into);
    if (count !== null) from.received += count;
    return count;
  } catch (error) {
    throw new DuplexError(from, "read", error);
  }
}

/** What the platform's path asks of the receiving half. */
class Source implements UnderlyingDefaultSource<Uint8Array> {
  readonly #duplex: Duplex;

  constructor(duplex: Duplex) {
    this.#duplex = duplex;
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const count = await receive(this.#duplex, chunk);
    if (count === null) controller.close();
    else controller.enqueue(chunk.subarray(0, count));
  }

  cancel(): void {
    this.#duplex.close();
  }
}

/** What the platform's path asks of the sending half. */
class Sink implements UnderlyingSink<Uint8Array> {
  readonly #duplex: Duplex;

  constructor(duplex: Duplex) {
    this.#duplex = duplex;
  }

  async write(chunk: Uint8Array): Promise<void> {
    try {
      await writeAll(this.#duplex, chunk);
    } catch (error) {
      throw new DuplexError(this.#duplex, "write", error);
    }
  }

  async close(): Promise<void> {
    await this.#duplex.closeWrite();
  }

  abort(): void {
    this.#duplex.close();
  }
}

/** Nothing is read ahead of demand: what a stream has not been asked for stays with the peer. */
const ON_DEMAND: QueuingStrategy<Uint8Array> = { highWaterMark: 0 };

/** The sending half of `duplex` as a stream. */
export function writableOf(duplex: Duplex): WritableStream<Uint8Array> {
  return new WritableStream(new Sink(duplex));
}

/** The receiving half of a duplex. */
export class DuplexReadable extends ReadableStream<Uint8Array> {
  readonly #duplex: Duplex;
  #piped = false;

  constructor(duplex: Duplex) {
    super(new Source(duplex), ON_DEMAND);
    this.#duplex = duplex;
  }

  override get locked(): boolean {
    return this.#piped || super.locked;
  }

  // The platform's overloads share one implementation, which the type of the override can't say.
  // deno-lint-ignore no-explicit-any
  override getReader(options?: any): any {
    if (this.#piped) throw new TypeError("the stream is being piped: it has no reader to give");
    return super.getReader(options);
  }

  /**
   * Into a duplex, the direct loop; into any other stream, the platform's own path. `options` mean the same in both,
   * but only the platform's path takes a signal: a duplex is aborted by closing it.
   */
  override pipeTo(
    destination: WritableStream<Uint8Array> | Duplex,
    options: StreamPipeOptions = {},
  ): Promise<void> {
    if (destination instanceof WritableStream) return super.pipeTo(destination, options);
    if (this.locked) {
      return Promise.reject(new TypeError("the stream is locked to a reader or already being piped"));
    }
    return options.signal ? super.pipeTo(destination.writable, options) : this.#pump(destination, options);
  }

  /**
   * Moves bytes until the end, never reading faster than `to` takes them. One function and not several: each async
   * function that waits costs an idle connection 500 bytes.
   */
  async #pump(to: Duplex, options: StreamPipeOptions): Promise<void> {
    this.#piped = true;
    const from = this.#duplex;
    let failing = from;
    try {
      const buffer = new ReadBuffer();
      for (;;) {
        const { bytes } = buffer;
        failing = from;
        const count = await from.read(bytes);
        if (count === null) break;
        from.received += count;
        failing = to;
        for (let done = 0; done < count;) {
          const taken = await to.write(
            count === bytes.length && done === 0 ? bytes : bytes.subarray(done, count),
          );
          to.sent += taken;
          done += taken;
        }
        buffer.resize(count + from.framing);
      }
      buffer.release();
      if (!options.preventClose) await to.closeWrite();
    } catch (error) {
      if (failing === from && !options.preventAbort) to.close();
      if (failing === to && !options.preventCancel) from.close();
      throw new DuplexError(failing, failing === from ? "read" : "write", error);
    } finally {
      this.#piped = false;
    }
  }
}
