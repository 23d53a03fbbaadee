/** Waits for a condition, or for some time. */

/** Waits until `condition` holds, at most `ms`. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  ms = 20_000,
): Promise<void> {
  const end = performance.now() + ms;
  while (!await condition()) {
    if (performance.now() > end) throw new Error(`timed out after ${ms} ms: expected that ${what}`);
    await pause(10);
  }
}

/** Waits `ms`, to assert that nothing happens meanwhile. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
