/** Timers and time slices: sleep, spread calls over time, and yield during long work. */

/** Interval between two batches of `spread`, in milliseconds. */
const STEP_MS = 20;

/** Resolves after `ms`, or at once when `signal` is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}

/** What `work` resolves to, or `otherwise()` if it takes longer than `ms`; `work` itself continues. */
export async function soonOr<T>(work: Promise<T>, ms: number, otherwise: () => T): Promise<T> {
  const { promise: late, resolve } = Promise.withResolvers<T>();
  const timer = setTimeout(() => resolve(otherwise()), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Calls `act` for each of `items`, evenly over `ms`, the last at its end. Stops if `signal` is aborted. */
export async function spread<T>(
  items: readonly T[],
  ms: number,
  act: (item: T) => void,
  signal?: AbortSignal,
): Promise<void> {
  const start = performance.now();
  for (let done = 0; done < items.length && !signal?.aborted;) {
    const elapsed = performance.now() - start;
    const due = elapsed >= ms ? items.length : Math.floor(items.length * elapsed / ms);
    for (const item of items.slice(done, due)) act(item);
    done = due;
    if (done < items.length) await sleep(Math.min(STEP_MS, ms - elapsed), signal);
  }
}

/** Longest time that work on a large table may block the event loop at once, in milliseconds. */
const SLICE_MS = 2;

/** Pause between two slices, in milliseconds: the system schedules a thread that never pauses last when cores are scarce. */
const REST_MS = 4;

/** Splits long work into slices: call `if (slice.over) await slice.rest()` between two steps. */
export class TimeSlice {
  #end = performance.now() + SLICE_MS;

  /** Whether the slice is used up. */
  get over(): boolean {
    return performance.now() >= this.#end;
  }

  /** Pauses, so that other work can run, and starts a new slice. */
  async rest(): Promise<void> {
    await sleep(REST_MS);
    this.#end = performance.now() + SLICE_MS;
  }
}
