/** A progress bar for long work, where a person watches. */

import type { Io } from "./io.ts";

const WIDTH = 30;

/** How often the bar is drawn, in milliseconds. */
const EVERY_MS = 50;

/** Returns what draws `done` of `total`; it draws nothing where stderr is no terminal. */
export function progressBar(io: Io, label: string, total: number): (done: number) => void {
  if (!io.stderrIsTerminal) return () => {};
  const encoder = new TextEncoder();
  let drawn = 0;
  return (done) => {
    const now = performance.now();
    if (now - drawn < EVERY_MS && done < total) return;
    drawn = now;
    const filled = Math.round(WIDTH * done / Math.max(1, total));
    const bar = "#".repeat(filled).padEnd(WIDTH, ".");
    Deno.stderr.writeSync(encoder.encode(`\r${label} [${bar}] ${done}/${total}${done >= total ? "\n" : ""}`));
  };
}
