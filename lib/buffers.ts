/**
 * Read buffers that fit what a connection carries: 4 KiB while it waits, up to 256 KiB while reads fill them.
 *
 * A read that does not fill its buffer has drained the socket, so the next read will wait, perhaps for hours: it waits
 * with the smallest buffer. The large ones are shared through a pool, so only connections that are busy hold one.
 */

/** Sizes in bytes; each step is taken when a read filled the buffer before it. */
export const BUFFER_BYTES = [4 << 10, 16 << 10, 64 << 10, 256 << 10] as const;

/** Most bytes that the pool keeps for each size: enough for 64 busy streams of the largest. */
const POOLED_BYTES = 16 << 20;

const pools: Uint8Array<ArrayBuffer>[][] = BUFFER_BYTES.map(() => []);

function take(level: number): Uint8Array<ArrayBuffer> {
  return pools[level]?.pop() ?? new Uint8Array(BUFFER_BYTES[level] ?? BUFFER_BYTES[0]);
}

function give(level: number, buffer: Uint8Array<ArrayBuffer>): void {
  const pool = pools[level];
  if (pool && (pool.length + 1) * buffer.length <= POOLED_BYTES) pool.push(buffer);
}

/** The buffer of one stream's reads. It may be reused only once everything read into it has been written. */
export class ReadBuffer {
  #level = 0;
  /** The level that the last burst reached, so that the next burst starts there. */
  #burst = 1;
  #buffer = take(0);

  /** What the next read is to fill. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer;
  }

  /** Fits the buffer to a read of `count` bytes that has been passed on. */
  fit(count: number): void {
    if (count === this.#buffer.length) {
      this.#swap(this.#level === 0 ? this.#burst : Math.min(this.#level + 1, BUFFER_BYTES.length - 1));
    } else if (this.#level > 0) {
      const enough = BUFFER_BYTES.findIndex((size) => count <= size);
      this.#burst = Math.max(1, enough);
      this.#swap(0);
    }
  }

  /** Gives the buffer back. No read or write on it may be pending. */
  release(): void {
    give(this.#level, this.#buffer);
  }

  #swap(level: number): void {
    if (level === this.#level) return;
    give(this.#level, this.#buffer);
    this.#buffer = take(level);
    this.#level = level;
  }
}

/** A buffer of at least `length` bytes for a short while, from the same pools where they hold one so large. */
export function borrow(length: number): Uint8Array<ArrayBuffer> {
  const level = BUFFER_BYTES.findIndex((size) => length <= size);
  return level < 0 ? new Uint8Array(length) : take(level);
}

/** Ends a loan. Nothing may be pending on the buffer. */
export function giveBack(buffer: Uint8Array<ArrayBuffer>): void {
  const level = BUFFER_BYTES.findIndex((size) => buffer.length === size);
  if (level >= 0) give(level, buffer);
}
