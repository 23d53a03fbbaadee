/** Moves bytes from one duplex to another: the loop behind `pipeTo` if both ends are ours. */

import { ReadBuffer } from "../util/buffer_pool.ts";
import { type Duplex, DuplexError, type Flow } from "./duplex.ts";

/**
 * Moves bytes until `from` has finished, never reading faster than `to` accepts them, and counts them in `flow`.
 * `options` are those of `ReadableStream.pipeTo`. It is a single function because each waiting async function costs an
 * idle connection 500 bytes.
 *
 * @param ended Called at the end, before the promise settles.
 * @throws {DuplexError}
 */
export async function pump(
  from: Duplex,
  to: Duplex,
  flow: Flow,
  options: StreamPipeOptions,
  ended: () => void,
): Promise<void> {
  let failing = from;
  try {
    const buffer = new ReadBuffer();
    for (;;) {
      const { bytes } = buffer;
      failing = from;
      const count = await from.read(bytes);
      if (count === null) break;
      flow.read += count;
      failing = to;
      for (let done = 0; done < count;) {
        const taken = await to.write(done === 0 ? buffer.filled(count) : bytes.subarray(done, count));
        flow.written += taken;
        done += taken;
      }
      buffer.resize(count + (from.overhead ?? 0));
    }
    flow.finished = true;
    buffer.release();
    failing = to;
    if (!options.preventClose) await to.closeWrite();
  } catch (error) {
    if (failing === from && !options.preventAbort) to.close();
    if (failing === to && !options.preventCancel) from.close();
    throw new DuplexError(failing, failing === from ? "read" : "write", error);
  } finally {
    ended();
  }
}
