/** What all duplexes have alike: their counters, their streams, and bytes that are given back. */

import { DuplexReadable, writableOf } from "./streams.ts";
import type { Duplex, Transport } from "./duplex.ts";

/** A duplex without its transport. */
export abstract class BaseDuplex implements Duplex {
  abstract readonly transport: Transport;
  abstract readonly closeFinishes: boolean;
  abstract readonly framing: number;
  received = 0;
  sent = 0;
  finished = false;
  #unread: Uint8Array | undefined;
  #readable?: DuplexReadable;
  #writable?: WritableStream<Uint8Array>;

  get readable(): DuplexReadable {
    return this.#readable ??= new DuplexReadable(this);
  }

  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= writableOf(this);
  }

  unread(bytes: Uint8Array): void {
    if (this.#unread) throw new Error("bytes are given back before those given back earlier were read again");
    if (bytes.length > 0) this.#unread = bytes;
    this.received -= bytes.length;
  }

  abstract read(buffer: Uint8Array): Promise<number | null>;
  abstract write(bytes: Uint8Array): Promise<number>;
  abstract closeWrite(refusal?: number): Promise<void>;
  abstract close(): void;
  abstract abort(): Promise<void>;

  /** Reads what was given back; 0 where there is nothing of that. */
  protected readAgain(buffer: Uint8Array): number {
    const bytes = this.#unread;
    if (!bytes) return 0;
    const count = Math.min(bytes.length, buffer.length);
    buffer.set(bytes.subarray(0, count));
    this.#unread = count < bytes.length ? bytes.subarray(count) : undefined;
    return count;
  }
}
