/** Spin locks in shared memory, held for less than a microsecond. */

/** Attempts before a thread sleeps: enough, unless the holder was preempted. */
const SPINS = 200;

/** Sleep between further attempts, in milliseconds. */
const SLEEP_MS = 0.05;

/**
 * Acquires the lock at `at`, however long it takes. A lock is one word: 0, or 1 + the index of its holder, so that the
 * lock of a dead thread can be freed (`freeLock`). The holder must neither wait nor throw.
 */
export function lock(words: Int32Array, at: number, thread: number): void {
  for (let tries = 0; !tryLock(words, at, thread); tries++) {
    // there is no notify: it would slow down every uncontended unlock
    if (tries >= SPINS) Atomics.wait(words, at, Atomics.load(words, at) || -1, SLEEP_MS);
  }
}

/** Acquires the lock at `at` if it is free. */
export function tryLock(words: Int32Array, at: number, thread: number): boolean {
  return Atomics.compareExchange(words, at, 0, thread + 1) === 0;
}

/** Releases the lock at `at`, which this thread holds. */
export function unlock(words: Int32Array, at: number): void {
  Atomics.store(words, at, 0);
}

/** Frees the lock at `at` if the dead `thread` holds it. */
export function freeLock(words: Int32Array, at: number, thread: number): void {
  Atomics.compareExchange(words, at, thread + 1, 0);
}
