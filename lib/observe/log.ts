/** The log: one line a record on stderr, as text for a terminal or as JSON. */

import {
  configureSync,
  getLogger,
  getStreamSink,
  type LogRecord,
  resetSync,
  type Sink,
} from "@logtape/logtape";
import { batchesTo, type Output } from "./batched_output.ts";
import type { Config } from "../config/config.ts";
import { sleep } from "../util/async.ts";

/** Lines that may wait for a slow reader of the log; beyond them lines are dropped, and how many is said. */
const WAITING_LINES = 20_000;

/** How long a line may wait for company, in milliseconds: lines are written in batches, apart from the relay. */
const FLUSH_MS = 100;

/** How long the last lines may take to be written, in milliseconds: the process must not wait for a stuck reader. */
const LAST_LINES_MS = 1000;

/** The log of the process. Disposing of it writes what still waits, as far as it is taken. */
export class Log implements AsyncDisposable {
  readonly #sink: Sink & AsyncDisposable;
  #format: Config["log"]["format"];

  private constructor(settings: Config["log"], output: Output) {
    this.#format = settings.format;
    this.#sink = getStreamSink(batchesTo(output), {
      formatter: (record) => this.#format === "json" ? jsonLine(record) : textLine(record),
      nonBlocking: {
        bufferSize: WAITING_LINES,
        flushInterval: FLUSH_MS,
        onDrop: ({ count }) => sayDropped(count),
      },
    });
    this.change(settings);
  }

  /** Starts logging to `output`. */
  static start(settings: Config["log"], output: Output = Deno.stderr): Log {
    return new Log(settings, output);
  }

  /** Takes another level or format from now on; no line is lost on the way. */
  change({ level, format }: Config["log"]): void {
    this.#format = format;
    configureSync({
      reset: true,
      // without its way to dispose of it: the sink outlives this configuration
      sinks: { output: (record) => this.#sink(record) },
      loggers: [
        { category: "switchyard", sinks: ["output"], lowestLevel: level },
        { category: ["logtape", "meta"], sinks: ["output"], lowestLevel: "warning" },
      ],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    resetSync();
    const over = new AbortController();
    // where the last lines cannot be written there is nobody left to tell
    const end = () => over.abort();
    this.#sink[Symbol.asyncDispose]().then(end, end);
    await sleep(LAST_LINES_MS, over.signal);
  }
}

/** Deferred, since the sink takes no line while it tells of those that it dropped. */
function sayDropped(count: number): void {
  queueMicrotask(() => {
    getLogger("switchyard").warning(`${count} log lines were dropped: what reads the log is too slow`);
  });
}

/** One JSON object, its properties beside `time`, `level` and `message`. */
export function jsonLine(record: LogRecord): string {
  return `${
    visible(JSON.stringify({
      time: new Date(record.timestamp).toISOString(),
      level: record.level,
      message: messageText(record),
      ...record.properties,
    }))
  }\n`;
}

/** `time LEVEL message key=value ...`, values quoted where they are not one plain word. */
export function textLine(record: LogRecord): string {
  const time = new Date(record.timestamp).toISOString();
  const fields = Object.entries(record.properties)
    .filter(([key, value]) => key !== "time" && value !== null && value !== undefined)
    .map(([key, value]) => ` ${key}=${fieldText(value)}`);
  return visible(
    `${time} ${record.level.toUpperCase().padEnd(7)} ${messageText(record)}${fields.join("")}`,
  ) + "\n";
}

function fieldText(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /^[\p{L}\p{N}_.:/@+*[\]-]+$/u.test(text) ? text : JSON.stringify(text);
}

function messageText(record: LogRecord): string {
  return record.message.map((part) => typeof part === "string" ? part : JSON.stringify(part)).join("");
}

/** Escapes what a terminal or a log reader may take for a line end, a command or a change of direction. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
