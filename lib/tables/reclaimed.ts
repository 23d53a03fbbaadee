/** Makes a thread's garbage collector release shared memory that the thread no longer uses. */

import { sleep } from "../util/async.ts";

/** An untouched allocation: it takes no memory, but puts pressure on the garbage collector. */
const PRESSURE_BYTES = 64 << 20;

/** Maximum number of attempts; usually a few are enough. */
const MOST_TRIES = 100;

/**
 * Shared memory is freed once the garbage collectors of all threads have found that their thread does not use it. The
 * collector of an idle thread does not run, unless it is put under memory pressure.
 */
export class Reclaimed {
  #awaited = 0;
  readonly #registry = new FinalizationRegistry(() => this.#awaited -= 1);

  /** Adds memory that this thread uses at present. */
  await(memory: SharedArrayBuffer): void {
    this.#awaited += 1;
    this.#registry.register(memory, undefined);
  }

  /** To be called once this thread uses none of it any more. Resolves to whether all of it has been released. */
  async all(): Promise<boolean> {
    for (let tries = 0; this.#awaited > 0 && tries < MOST_TRIES; tries++) {
      new ArrayBuffer(PRESSURE_BYTES);
      await sleep(1);
    }
    return this.#awaited === 0;
  }
}
