/** Waiting, and doing things one by one over a span of time. */

/** How often `pace` looks what is due, in milliseconds. */
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

/** Calls `act` for each of `items`, evenly over `ms`, the last at its end. Stops where `signal` is aborted. */
export async function pace<T>(
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
