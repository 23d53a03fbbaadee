/** The log: one line a record on stderr, as text for a terminal or as JSON. */

import { configureSync, getLogger, type LogRecord, resetSync } from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import { sleep } from "../util/async.ts";
import { plain } from "../util/text.ts";
import { BatchedOutput, type Output } from "./batched_output.ts";

/** Time for the last lines, in milliseconds: the process must not wait for a reader that is stuck. */
const LAST_LINES_MS = 1000;

/** Severity below which nothing is logged, and the form of a line. */
export type LogSettings = Pick<Config["log"], "level" | "format">;

/**
 * The log of the process. A record becomes a line at once, and lines are written in batches, apart from the relay; what
 * would wait as a record outlives a young collection, and a line is a twentieth of the objects that it is made of.
 * Disposing of the log writes the lines that are buffered, within a second.
 */
export class Log implements AsyncDisposable {
  readonly #output: BatchedOutput;
  #format: Config["log"]["format"];
  /** Lines lost since that was last logged, and why the first of them was. */
  #lost = { count: 0, cause: undefined as unknown };
  #isReporting = false;

  private constructor(settings: LogSettings, output: Output) {
    this.#format = settings.format;
    this.#output = new BatchedOutput(output, { onWritten: () => this.#reportLost() });
    this.change(settings);
  }

  /** Starts logging to `output`. */
  static start(settings: LogSettings, output: Output = Deno.stderr): Log {
    return new Log(settings, output);
  }

  /** Uses another level or format from now on; no line is lost on the way. */
  change({ level, format }: LogSettings): void {
    this.#format = format;
    configureSync({
      reset: true,
      sinks: { output: (record) => this.#write(record) },
      loggers: [
        { category: "switchyard", sinks: ["output"], lowestLevel: level },
        { category: ["logtape", "meta"], sinks: ["output"], lowestLevel: "warning" },
      ],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reportLost();
    resetSync();
    const written = new AbortController();
    const ending = this.#output.close().then(() => written.abort());
    await sleep(LAST_LINES_MS, written.signal);
    // lines that cannot be written by then are given up
    this.#output[Symbol.dispose]();
    if (written.signal.aborted) await ending;
  }

  #write(record: LogRecord): void {
    const line = this.#format === "json" ? jsonLine(record) : textLine(record);
    if (this.#output.add(line, this.#isReporting)) return;
    const { count, cause } = this.#lost;
    this.#lost = { count: count + 1, cause: cause ?? this.#output.failure };
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

/** One JSON object, its properties beside `time`, `level` and `message`. */
export function jsonLine(record: LogRecord): string {
  return `${
    plain(JSON.stringify({
      time: new Date(record.timestamp).toISOString(),
      level: record.level,
      message: messageText(record),
      ...record.properties,
    }))
  }\n`;
}

/** `time LEVEL message key=value ...`, a value in quotes if it is more than one plain word. */
export function textLine(record: LogRecord): string {
  const time = new Date(record.timestamp).toISOString();
  let line = `${time} ${record.level.toUpperCase().padEnd(7)} ${messageText(record)}`;
  const { properties } = record;
  // without a list of the fields on the way: under load the log's garbage costs more than its work
  for (const key of Object.keys(properties)) {
    const value = properties[key];
    if (key !== "time" && value !== null && value !== undefined) line += ` ${key}=${fieldText(value)}`;
  }
  return `${plain(line)}\n`;
}

function fieldText(value: unknown): string {
  if (typeof value === "number") return String(value);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  // most are ASCII, for which the test is much cheaper
  if (/^[\w.:/@+*[\]-]+$/.test(text)) return text;
  return /^[\p{L}\p{N}_.:/@+*[\]-]+$/u.test(text) ? text : JSON.stringify(text);
}

function messageText(record: LogRecord): string {
  return record.message.map((part) => typeof part === "string" ? part : JSON.stringify(part)).join("");
}
