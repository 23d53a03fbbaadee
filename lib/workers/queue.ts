/** Work that must not overlap. */

/** Runs one piece of work at a time, in the order in which it was added. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves or rejects as `work` does, which begins once all that was added before has ended. */
  add<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work);
    // whoever added the work is told of its failure
    this.#last = result.catch(() => {});
    return result;
  }
}
