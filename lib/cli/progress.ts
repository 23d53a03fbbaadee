/** A progress bar for long work on a terminal. */

import type { Io } from "./io.ts";

/** Cells of the bar itself. */
const WIDTH = 30;

/** How often the bar is drawn, in milliseconds. */
const EVERY_MS = 50;

/** Longest label: the line has to fit 80 columns, since a wrapped line cannot be redrawn. */
const LABEL_WIDTH = 20;

/** Clears from the cursor to the end of the line (ECMA-48, EL). */
const CLEAR_REST = "\x1b[K";

/** A bar that is being drawn. */
export interface ProgressBar {
  /** Draws `done` of the total, at most every 50 ms; reaching the total ends the bar. */
  draw(done: number): void;
  /** Ends the line, whether or not the bar is full. */
  end(): void;
}

/** Unit and output of a bar. */
export interface ProgressOptions {
  /** Shown after the total; `s` shows tenths. */
  readonly unit?: string;
  /** @default standard error */
  readonly write?: (text: string) => void;
}

const NO_BAR: ProgressBar = { draw: () => {}, end: () => {} };

/** A bar up to `total`. It draws nothing if stderr is not a terminal. */
export function progressBar(
  io: Io,
  label: string,
  total: number,
  options: ProgressOptions = {},
): ProgressBar {
  if (!io.stderrIsTerminal) return NO_BAR;
  const { unit = "", write = writeToStderr } = options;
  const name = label.length > LABEL_WIDTH ? `${label.slice(0, LABEL_WIDTH - 3)}...` : label;
  let drawn = -Infinity;
  let ended = false;
  const end = () => {
    if (drawn !== -Infinity && !ended) write("\n");
    ended = true;
  };
  return {
    draw(done) {
      const now = performance.now();
      if (ended || (now - drawn < EVERY_MS && done < total)) return;
      drawn = now;
      write(`\r${name} ${barText(Math.min(done, total), total, unit)}${CLEAR_REST}`);
      if (done >= total) end();
    },
    end,
  };
}

function barText(done: number, total: number, unit: string): string {
  const number = (value: number) => unit === "s" ? value.toFixed(1) : String(value);
  const filled = total > 0 ? Math.floor(WIDTH * done / total) : WIDTH;
  return `[${"#".repeat(filled).padEnd(WIDTH, ".")}] ${number(done)}/${number(total)}${unit && ` ${unit}`}`;
}

function writeToStderr(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += Deno.stderr.writeSync(bytes.subarray(done));
}
