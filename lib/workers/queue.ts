/** Serializes asynchronous work. */

/** Runs one task at a time, in the order in which they were added. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` after all tasks added before. Resolves or rejects as it does. */
  add<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work);
    // the caller handles the failure
    this.#last = result.catch(() => {});
    return result;
  }
}
