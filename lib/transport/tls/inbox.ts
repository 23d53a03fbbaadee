/** A queue of received bytes, and of the reads that wait for them. */

interface PendingRead {
  readonly buffer: Uint8Array;
  readonly resolve: (count: number | null) => void;
  readonly reject: (error: Error) => void;
}

/** Serves reads in call order, with bytes in the order of their arrival. */
export class Inbox {
  #arrived: Uint8Array[] = [];
  #reads: PendingRead[] = [];
  #ended = false;
  #failure: Error | undefined;

  /** Whether a read is pending. */
  get wanted(): boolean {
    return this.#reads.length > 0;
  }

  /** Whether nothing more arrives. */
  get over(): boolean {
    return this.#ended || this.#failure !== undefined;
  }

  /** The failure after which nothing more arrives, if any. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** As `Duplex.read`. */
  read(buffer: Uint8Array): Promise<number | null> {
    return new Promise((resolve, reject) => {
      this.#reads.push({ buffer, resolve, reject });
      this.#serve();
    });
  }

  /** Adds bytes, which must not change afterwards. */
  add(bytes: Uint8Array): void {
    this.#arrived.push(bytes);
    this.#serve();
  }

  /** The sender has finished: bytes that have arrived can still be read. */
  end(): void {
    this.#ended = true;
    this.#serve();
  }

  /** Something has failed: bytes that have arrived can still be read. The first failure counts. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#serve();
  }

  /** Drops the bytes that have arrived, and fails every read. */
  close(error: Error): void {
    this.#arrived = [];
    this.#failure = error;
    this.#serve();
  }

  #serve(): void {
    for (let read = this.#reads[0]; read; read = this.#reads[0]) {
      const bytes = this.#arrived[0];
      if (!bytes && !this.over) return;
      this.#reads.shift();
      if (bytes) read.resolve(this.#take(bytes, read.buffer));
      else if (this.#failure) read.reject(this.#failure);
      else read.resolve(null);
    }
  }

  #take(bytes: Uint8Array, buffer: Uint8Array): number {
    const count = Math.min(bytes.length, buffer.length);
    buffer.set(count < bytes.length ? bytes.subarray(0, count) : bytes);
    if (count < bytes.length) this.#arrived[0] = bytes.subarray(count);
    else this.#arrived.shift();
    return count;
  }
}
