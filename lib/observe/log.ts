/** The log: one line a record on stderr, as text for a terminal or as JSON. */

import {
  configureSync,
  getLogger,
  getStreamSink,
  type LogRecord,
  resetSync,
  type Sink,
} from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import { sleep } from "../util/async.ts";
import { plain } from "../util/text.ts";
import { BatchedOutput, type Output } from "./batched_output.ts";

/** Lines that are kept while the log cannot be written; beyond them the oldest are lost, and their number is logged. */
const BUFFERED_LINES = 20_000;

/** Maximum time a line is buffered, in milliseconds: lines are written in batches, apart from the relay. */
const FLUSH_MS = 100;

/** Time for the last lines, in milliseconds: the process must not wait for a reader that is stuck. */
const LAST_LINES_MS = 1000;

/** Severity below which nothing is logged, and the form of a line. */
export type LogSettings = Pick<Config["log"], "level" | "format">;

const NOTHING: readonly unknown[] = [];

const NO_PROPERTIES: Record<string, unknown> = {};

/** The log of the process. Disposing of it writes the lines that are buffered, within a second. */
export class Log implements AsyncDisposable {
  readonly #output: BatchedOutput;
  readonly #sink: Sink & AsyncDisposable;
  #format: Config["log"]["format"];
  /** Lines lost since that was last logged, and why the first of them was. */
  #lost = { count: 0, cause: undefined as unknown };

  private constructor(settings: LogSettings, output: Output) {
    this.#format = settings.format;
    this.#output = new BatchedOutput(output, { onWritten: () => this.#reportLost() });
    this.#sink = getStreamSink(lightStream(this.#output), {
      formatter: ({ rawMessage }) => String(rawMessage),
      nonBlocking: {
        bufferSize: BUFFERED_LINES,
        flushInterval: FLUSH_MS,
        onDrop: ({ count }) => this.#countLost(count),
      },
    });
    this.change(settings);
  }

  /** Starts logging to `output`. */
  static start(settings: LogSettings, output: Output = Deno.stderr): Log {
    return new Log(settings, output);
  }

  /** Takes another level or format from now on; no line is lost on the way. */
  change({ level, format }: LogSettings): void {
    this.#format = format;
    configureSync({
      reset: true,
      // without its way to dispose of it: the sink outlives this configuration
      sinks: { output: (record) => this.#sink(this.#formatted(record)) },
      loggers: [
        { category: "switchyard", sinks: ["output"], lowestLevel: level },
        { category: ["logtape", "meta"], sinks: ["output"], lowestLevel: "warning" },
      ],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    resetSync();
    const written = new AbortController();
    const end = () => written.abort();
    const ending = this.#sink[Symbol.asyncDispose]().then(end, end);
    await sleep(LAST_LINES_MS, written.signal);
    // lines that cannot be written by then are given up
    this.#output[Symbol.dispose]();
    if (written.signal.aborted) await ending;
  }

  /**
   * A record that is nothing but its line. Formatted at once, since what waits for the next batch outlives a young
   * collection, and a line is a twentieth of the objects that it is made of.
   */
  #formatted(record: LogRecord): LogRecord {
    const line = this.#format === "json" ? jsonLine(record) : textLine(record);
    const { category, level, timestamp } = record;
    return { category, level, timestamp, message: NOTHING, rawMessage: line, properties: NO_PROPERTIES };
  }

  #countLost(count: number): void {
    const { failure } = this.#output;
    this.#lost = { count: this.#lost.count + count, cause: this.#lost.cause ?? failure };
    // otherwise once the batch under way is written: before, the report could be lost too
    if (this.#output.idle) this.#reportLost();
  }

  /** Called when a batch was written. Deferred, since the sink takes no line while it reports the ones it has lost. */
  #reportLost(): void {
    const { count, cause } = this.#lost;
    if (count === 0) return;
    this.#lost = { count: 0, cause: undefined };
    const why = cause === undefined
      ? "its reader is too slow"
      : `it could not be written: ${messageOf(cause)}`;
    queueMicrotask(() => getLogger("switchyard").warning(`${count} lines of the log were lost: ${why}`));
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

/** The part of a `WritableStream` that the sink uses: the platform's own costs several promises more for each line. */
function lightStream(output: BatchedOutput): WritableStream<Uint8Array> {
  const writer = {
    ready: undefined,
    write: (bytes: Uint8Array) => output.write(bytes),
    close: () => output.close(),
    releaseLock() {},
  };
  return { getWriter: () => writer } as unknown as WritableStream<Uint8Array>;
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
