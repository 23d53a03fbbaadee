/**
 * A duplex as web streams. Piping its readable into another duplex moves the bytes in a direct loop over one reused
 * buffer (the pump); piping into any other stream uses the platform's own path. Both behave the same.
 *
 * The direct loop takes the duplex itself instead of its writable, which saves two streams per connection.
 */

import { type Duplex, DuplexError, type Flow, newFlow, writeAll } from "./duplex.ts";
import { pump } from "./pump.ts";

/** Size of a chunk on the platform's path, where no buffer can be reused: 16 KiB keeps small messages cheap. */
const CHUNK_BYTES = 16 << 10;

/** The source for the platform's path. */
class DuplexSource implements UnderlyingDefaultSource<Uint8Array> {
  readonly #duplex: Duplex;

  constructor(duplex: Duplex) {
    this.#duplex = duplex;
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const count = await this.#duplex.read(chunk);
      if (count === null) controller.close();
      else controller.enqueue(chunk.subarray(0, count));
    } catch (error) {
      throw new DuplexError(this.#duplex, "read", error);
    }
  }

  cancel(): void {
    this.#duplex.close();
  }
}

/** The sink for the platform's path. */
class DuplexSink implements UnderlyingSink<Uint8Array> {
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

/** No read-ahead: unread data stays with the peer. */
const ON_DEMAND: QueuingStrategy<Uint8Array> = { highWaterMark: 0 };

/** The sending half of `duplex` as a stream; closing it is `closeWrite`, aborting it is `close`. */
export function writableOf(duplex: Duplex): WritableStream<Uint8Array> {
  return new WritableStream(new DuplexSink(duplex));
}

/** The receiving half of a duplex as a stream; cancelling it is `close`. */
export class DuplexReadable extends ReadableStream<Uint8Array> {
  readonly #duplex: Duplex;
  readonly #flow: Flow;
  #piped = false;

  /** @param flow Counts the bytes that are piped into another duplex. */
  constructor(duplex: Duplex, flow: Flow = newFlow()) {
    super(new DuplexSource(duplex), ON_DEMAND);
    this.#duplex = duplex;
    this.#flow = flow;
  }

  override get locked(): boolean {
    return this.#piped || super.locked;
  }

  // The platform's overloads share one implementation, which the type of the override cannot express.
  // deno-lint-ignore no-explicit-any
  override getReader(options?: any): any {
    if (this.#piped) throw new TypeError("the stream is being piped: it cannot have a reader");
    return super.getReader(options);
  }

  /**
   * Pipes into a duplex by the direct loop, into any other stream by the platform's own path. `options` mean the same
   * in both, but only the platform's path accepts a signal: close a duplex to abort it.
   */
  override pipeTo(
    destination: WritableStream<Uint8Array> | Duplex,
    options: StreamPipeOptions = {},
  ): Promise<void> {
    if (destination instanceof WritableStream) return super.pipeTo(destination, options);
    if (this.locked) {
      return Promise.reject(new TypeError("the stream is locked to a reader, or is already being piped"));
    }
    if (options.signal) return super.pipeTo(writableOf(destination), options);
    this.#piped = true;
    return pump(this.#duplex, destination, this.#flow, options, () => this.#piped = false);
  }
}
