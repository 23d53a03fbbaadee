/**
 * Read buffers that adapt to the traffic of a connection: 4 KiB at the start, up to 256 KiB while reads fill them.
 *
 * A short read means that the socket is empty and the next read will block, perhaps for hours. It blocks with a buffer
 * of 4 KiB, or of 1 KiB if the last read was shorter than that. Large buffers are pooled: only busy connections hold
 * one.
 */

/** Sizes in bytes, by level. A read that fills its buffer moves to the next level. */
export const BUFFER_BYTES = [1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10] as const;

/** Levels that a stream blocks with: after a short read, and otherwise. Those above are for bursts. */
const LITTLE = 0;
const START = 1;

/** Most bytes and buffers that the pool keeps of each size: enough for 64 busy streams with the largest. */
const POOLED = { bytes: 16 << 20, buffers: 1024 };

const pools: Uint8Array<ArrayBuffer>[][] = BUFFER_BYTES.map(() => []);

function take(level: number): Uint8Array<ArrayBuffer> {
  return pools[level]?.pop() ?? new Uint8Array(BUFFER_BYTES[level] ?? BUFFER_BYTES[START]);
}

function give(level: number, buffer: Uint8Array<ArrayBuffer>): void {
  const pool = pools[level];
  if (!pool || pool.length >= POOLED.buffers || pool.length * buffer.length >= POOLED.bytes) return;
  pool.push(buffer);
}

/** The lowest level whose buffers hold `length` bytes, or -1. */
function levelFor(length: number): number {
  return BUFFER_BYTES.findIndex((size) => length <= size);
}

/** The buffer of one stream's reads. It may be reused only once everything read into it has been written. */
export class ReadBuffer {
  #level = START;
  /** The level that the last burst reached, so that the next burst starts there. */
  #burst = START + 1;
  /** Bytes read since the stream last waited. */
  #came = 0;
  #buffer = take(START);
  /** The bytes of the last read, kept because a new view costs as much as passing the bytes on. */
  #filled = this.#buffer;

  /** The buffer for the next read. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer;
  }

  /** The first `count` bytes, which a read has filled. */
  filled(count: number): Uint8Array<ArrayBuffer> {
    if (count !== this.#filled.length) this.#filled = this.#buffer.subarray(0, count);
    return this.#filled;
  }

  /** Adapts the buffer after a read of `count` bytes that has been passed on. */
  resize(count: number): void {
    this.#came += count;
    if (count === this.#buffer.length) {
      this.#swap(this.#level <= START ? this.#burst : Math.min(this.#level + 1, BUFFER_BYTES.length - 1));
      return;
    }
    if (this.#level > START) this.#burst = Math.max(START + 1, levelFor(count));
    this.#swap(this.#came <= BUFFER_BYTES[LITTLE] ? LITTLE : START);
    this.#came = 0;
  }

  /** Returns the buffer to the pool. No read or write on it may be pending. */
  release(): void {
    give(this.#level, this.#buffer);
  }

  #swap(level: number): void {
    if (level === this.#level) return;
    give(this.#level, this.#buffer);
    this.#filled = this.#buffer = take(level);
    this.#level = level;
  }
}

/** A buffer of at least `length` bytes for a short time, from the same pools if they have that size. */
export function acquire(length: number): Uint8Array<ArrayBuffer> {
  const level = levelFor(length);
  return level < 0 ? new Uint8Array(length) : take(level);
}

/** Returns a buffer to its pool. Nothing may be pending on it. */
export function release(buffer: Uint8Array<ArrayBuffer>): void {
  const level = BUFFER_BYTES.findIndex((size) => buffer.length === size);
  if (level >= 0) give(level, buffer);
}
