/** The log: one line a record on stderr, as text for a terminal or as JSON. */

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

/** Time for the last lines, in milliseconds: the process must not wait for a reader that is stuck. */
const LAST_LINES_MS = 1000;

/** Severity below which nothing is logged, and the form of a line. */
export type LogSettings = Pick<Config["log"], "level" | "format">;

const decoder = new TextDecoder();

/** The one that was started last, and that LogTape's records go to. */
let current: Log | undefined;

/**
 * The log of the process, or of a thread. A record becomes a line at once, and lines are written in batches, apart from
 * the relay; what would wait as a record outlives a young collection, and a line is a twentieth of the objects that it
 * is made of. Disposing of the log writes the lines that are buffered, within a second.
 */
export class Log implements AsyncDisposable {
  readonly #output: BatchedOutput;
  #settings: LogSettings;
  /** Lines lost since that was last logged, and why the first of them was. */
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

  /** The running log, for lines that do without a record; undefined where nothing is logged. */
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

  /** Uses another level or format from now on; no line is lost on the way. */
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
    // lines that cannot be written by then are given up
    this.#output[Symbol.dispose]();
    if (written.signal.aborted) await ending;
  }

  /** Adds a line, its newline included, that is in the log's format already. */
  add(line: string): void {
    if (this.#output.add(line, this.#isReporting)) return;
    const { count, cause } = this.#lost;
    this.#lost = { count: count + 1, cause: cause ?? this.#output.failure };
  }

  /** Writes whole lines of another thread's log. Resolves once they are written or given up. */
  write(lines: Uint8Array): Promise<void> {
    return this.#output.addBatch(decoder.decode(lines));
  }

  #write(record: LogRecord): void {
    this.add(this.format === "json" ? jsonLine(record) : textLine(record));
  }

  /** Called when a batch was written, so that there is room for the report. */
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
