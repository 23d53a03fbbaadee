/** The log: one line per record on stderr, as text or as JSON. */

import {
  compareLogLevel,
  configureSync,
  getLogger,
  type LogLevel,
  type LogRecord,
  resetSync,
} from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import { sleep } from "../util/async.ts";
import { BatchedOutput, type Output } from "./batched_output.ts";
import { jsonLine, textLine } from "./log_line.ts";
import type { TextBuffer } from "./text_buffer.ts";

/** Time to write the last lines, in milliseconds: the process must not wait for a stuck reader. */
const LAST_LINES_MS = 1000;

/** Severity below which nothing is logged, and the form of a line. */
export type LogSettings = Pick<Config["log"], "level" | "format">;

/** The last one started, which receives LogTape's records. */
let current: Log | undefined;

/**
 * The log of the process, or of a thread. A record is formatted immediately, and lines are written in batches, apart
 * from the relay: buffered records would survive young collections, and a line has a twentieth of a record's objects.
 * Disposing of the log writes the buffered lines, within a second.
 */
export class Log implements AsyncDisposable {
  readonly #output: BatchedOutput;
  #settings: LogSettings;
  /** Lines lost since that was last logged, and why the first was lost. */
  #lost = { count: 0, cause: undefined as unknown };
  #isReporting = false;

  private constructor(settings: LogSettings, output: Output) {
    this.#settings = settings;
    this.#output = new BatchedOutput(output, { onWritten: () => this.#reportLost() });
    this.change(settings);
  }

  /** Starts logging to `output`. */
  static start(settings: LogSettings, output: Output = Deno.stderr): Log {
    return new Log(settings, output);
  }

  /** The running log, for lines that are not made from a record; undefined if there is none. */
  static get current(): Log | undefined {
    return current;
  }

  /** The form of its lines. */
  get format(): LogSettings["format"] {
    return this.#settings.format;
  }

  /** Whether records of `level` are logged. */
  isEnabledFor(level: LogLevel): boolean {
    return compareLogLevel(level, this.#settings.level) >= 0;
  }

  /** Changes level and format without losing lines. */
  change(settings: LogSettings): void {
    this.#settings = settings;
    current = this;
    configureSync({
      reset: true,
      sinks: { output: (record) => this.#write(record) },
      loggers: [
        { category: "switchyard", sinks: ["output"], lowestLevel: settings.level },
        { category: ["logtape", "meta"], sinks: ["output"], lowestLevel: "warning" },
      ],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reportLost();
    resetSync();
    if (current === this) current = undefined;
    const written = new AbortController();
    const ending = this.#output.close().then(() => written.abort());
    await sleep(LAST_LINES_MS, written.signal);
    // drops lines that cannot be written by then
    this.#output[Symbol.dispose]();
    if (written.signal.aborted) await ending;
  }

  /** Adds a line, including its newline, that is already in the log's format. */
  add(line: string): void {
    this.addWith((text) => text.add(line));
  }

  /** Adds the line that `write` adds to the text, including its newline, in the log's format. */
  addWith(write: (text: TextBuffer) => void): void {
    if (this.#output.addWith(write, this.#isReporting)) return;
    const { count, cause } = this.#lost;
    this.#lost = { count: count + 1, cause: cause ?? this.#output.failure };
  }

  /** Writes whole lines of another thread's log. Resolves once they are written or dropped. */
  write(lines: Uint8Array): Promise<void> {
    return this.#output.addBatch(lines);
  }

  #write(record: LogRecord): void {
    this.add(this.format === "json" ? jsonLine(record) : textLine(record));
  }

  /** Called after each batch, when there is room for the report. */
  #reportLost(): void {
    const { count, cause } = this.#lost;
    if (count === 0) return;
    this.#lost = { count: 0, cause: undefined };
    const why = cause === undefined
      ? "its reader is too slow"
      : `it could not be written: ${messageOf(cause)}`;
    this.#isReporting = true;
    getLogger("switchyard").warning(`${count} lines of the log were lost: ${why}`);
    this.#isReporting = false;
  }
}
