/** The base of all duplexes: bytes can be put back. */

import type { Duplex, Transport } from "./duplex.ts";
import type { RefusalName } from "../errors.ts";

/** A duplex without its transport. */
export abstract class BaseDuplex implements Duplex {
  abstract readonly transport: Transport;
  #unread: Uint8Array | undefined;

  unread(bytes: Uint8Array): void {
    if (this.#unread) throw new Error("bytes are put back before those put back earlier were read again");
    if (bytes.length > 0) this.#unread = bytes;
  }

  abstract read(buffer: Uint8Array): Promise<number | null>;
  abstract write(bytes: Uint8Array): Promise<number>;
  abstract closeWrite(reason?: RefusalName): Promise<void>;
  abstract close(): void;
  abstract abort(): Promise<void>;

  /** Reads bytes that were put back; 0 if there are none. */
  protected readAgain(buffer: Uint8Array): number {
    const bytes = this.#unread;
    if (!bytes) return 0;
    const count = Math.min(bytes.length, buffer.length);
    buffer.set(bytes.subarray(0, count));
    this.#unread = count < bytes.length ? bytes.subarray(count) : undefined;
    return count;
  }
}
