/** A fair mutex. Without contention it needs no promise. */
export class Mutex {
  #held = false;
  #waiting: (() => void)[] | undefined;

  get held(): boolean {
    return this.#held;
  }

  /** Takes the lock at once; returns false if it is held. */
  tryTake(): boolean {
    if (this.#held) return false;
    return this.#held = true;
  }

  /** Waits for the lock. */
  take(): Promise<void> {
    if (this.tryTake()) return Promise.resolve();
    return new Promise((resolve) => (this.#waiting ??= []).push(resolve));
  }

  /** Passes the lock to the longest-waiting caller, or frees it. */
  release(): void {
    const next = this.#waiting?.shift();
    if (next) next();
    else this.#held = false;
  }
}
