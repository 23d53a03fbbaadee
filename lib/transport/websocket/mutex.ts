/** One at a time, in the order of asking. Free, it costs no promise. */
export class Mutex {
  #held = false;
  #waiting: (() => void)[] | undefined;

  get held(): boolean {
    return this.#held;
  }

  /** Takes the lock at once, or gives false where it is held. */
  tryTake(): boolean {
    if (this.#held) return false;
    return this.#held = true;
  }

  /** Waits for the lock, which the holder before hands over. */
  take(): Promise<void> {
    if (this.tryTake()) return Promise.resolve();
    return new Promise((resolve) => (this.#waiting ??= []).push(resolve));
  }

  /** Hands the lock to the one that has waited longest, or frees it. */
  release(): void {
    const next = this.#waiting?.shift();
    if (next) next();
    else this.#held = false;
  }
}
