/** Deadlines that cost no timer each: all waits of one kind last equally long, so they expire in the order they began. */

interface Wait {
  readonly at: number;
  readonly expire: () => void;
}

/** Every wait of one kind, under one timer. */
export class Deadlines {
  /** How long each wait may last, in milliseconds. */
  readonly duration: number;
  readonly #waits = new Set<Wait>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(duration: number) {
    this.duration = duration;
  }

  /**
   * Settles as `work` does, or rejects with `failure()` once `duration` has passed since this call. `work` itself goes
   * on; should it succeed after all, its result is handed to `discard`.
   */
  guard<T>(work: Promise<T>, failure: () => Error, discard?: (late: T) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait: Wait = { at: performance.now() + this.duration, expire: () => reject(failure()) };
      this.#add(wait);
      work.then((value) => {
        if (this.#waits.delete(wait)) resolve(value);
        else discard?.(value);
      }, (error) => {
        this.#waits.delete(wait);
        reject(error);
      });
    });
  }

  /** Stops the timer. What still waits is no longer limited. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waits.clear();
  }

  #add(wait: Wait): void {
    this.#waits.add(wait);
    this.#timer ??= setTimeout(() => this.#expire(), this.duration);
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const wait of this.#waits) {
      if (wait.at > now) {
        this.#timer = setTimeout(() => this.#expire(), Math.ceil(wait.at - now));
        return;
      }
      this.#waits.delete(wait);
      wait.expire();
    }
  }
}
