/** Locks that are held for less than a microsecond, in memory that several threads share. */

/** Attempts before a thread sleeps: enough, unless the holder has lost its processor. */
const SPINS = 200;

/** How long a thread sleeps before it tries again, in milliseconds. */
const SLEEP_MS = 0.05;

/**
 * Takes the lock at `at`, waiting for it as long as need be. A lock is one word: 0, or 1 + the index of the thread that
 * holds it, so that a lock of a dead thread can be freed (`freeLock`). The holder neither waits nor throws.
 */
export function lock(words: Int32Array, at: number, thread: number): void {
  for (let tries = 0; !tryLock(words, at, thread); tries++) {
    // nobody notifies: a notification would make each lock that nobody waits for dearer
    if (tries >= SPINS) Atomics.wait(words, at, Atomics.load(words, at) || -1, SLEEP_MS);
  }
}

/** Takes the lock at `at` if it is free. */
export function tryLock(words: Int32Array, at: number, thread: number): boolean {
  return Atomics.compareExchange(words, at, 0, thread + 1) === 0;
}

/** Releases the lock at `at`, which the thread holds. */
export function unlock(words: Int32Array, at: number): void {
  Atomics.store(words, at, 0);
}

/** Frees the lock at `at` if `thread`, which has died, holds it. */
export function freeLock(words: Int32Array, at: number, thread: number): void {
  Atomics.compareExchange(words, at, thread + 1, 0);
}
