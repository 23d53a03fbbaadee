/** Giving shared memory back in a thread that is done with it. */

import { sleep } from "../util/async.ts";

/** Untouched memory, which takes none, but makes the garbage collector work. */
const PRESSURE_BYTES = 64 << 20;

/** Most attempts; a few are enough. */
const MOST_TRIES = 100;

/**
 * Shared memory stays until the garbage collectors of all threads have found that theirs does not use it any more. That
 * of a thread that has nothing to do finds nothing, unless it believes that memory is short.
 */
export class Reclaimed {
  #awaited = 0;
  readonly #registry = new FinalizationRegistry(() => this.#awaited -= 1);

  /** Memory that this thread uses for now. */
  await(memory: SharedArrayBuffer): void {
    this.#awaited += 1;
    this.#registry.register(memory, undefined);
  }

  /** Called once this thread uses none of the memory any more. Resolves to whether all of it is given back. */
  async all(): Promise<boolean> {
    for (let tries = 0; this.#awaited > 0 && tries < MOST_TRIES; tries++) {
      new ArrayBuffer(PRESSURE_BYTES);
      await sleep(1);
    }
    return this.#awaited === 0;
  }
}
