/** The stream of server-sent events that feeds the dashboard. */

import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import { answer, HttpError } from "./http.ts";

const log = getLogger("switchyard");

/** Interval between two events, in milliseconds. */
const INTERVAL_MS = 1000;

/** Maximum number of open streams. */
const MOST_STREAMS = 50;

/** Named parts of the state. Each is sent when a stream opens, and then whenever it has changed. */
export type Snapshots = () => Promise<Readonly<Record<string, unknown>>>;

type Stream = ReadableStreamDefaultController<Uint8Array>;

/**
 * One timer, and one text, for all streams; without streams there is no timer. A stream that is not read skips events
 * instead of queueing them, and then gets every part: one that it has skipped may not change again for days.
 */
export class EventFeed implements Disposable {
  readonly #snapshots: Snapshots;
  readonly #interval: number;
  /** Whether each has every part as it was last sent. */
  readonly #streams = new Map<Stream, boolean>();
  readonly #encoder = new TextEncoder();
  #timer: ReturnType<typeof setInterval> | undefined;
  #busy = false;
  #sent: ReadonlyMap<string, string> = new Map();

  /** @param interval In milliseconds. */
  constructor(snapshots: Snapshots, interval = INTERVAL_MS) {
    this.#snapshots = snapshots;
    this.#interval = interval;
  }

  /** Number of open streams. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Opens a stream for as long as its client reads. @throws {HttpError} 503 if too many are open */
  open(): Response {
    if (this.#streams.size >= MOST_STREAMS) {
      throw new HttpError(503, `${MOST_STREAMS} event streams are open, which is the maximum`);
    }
    let own: Stream | undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (stream) => {
        own = stream;
        this.#streams.set(stream, false);
        this.#timer ??= setInterval(() => void this.#send(), this.#interval);
        void this.#send();
      },
      cancel: () => {
        if (own) this.#drop(own);
      },
    });
    const response = answer(body, "text/event-stream");
    // nginx would gather events until its buffer is full
    response.headers.set("x-accel-buffering", "no");
    return response;
  }

  /** Ends every stream. */
  [Symbol.dispose](): void {
    for (const stream of this.#streams.keys()) {
      this.#drop(stream);
      try {
        stream.close();
      } catch (error) {
        // closed already: its client is leaving at this moment
        if (!(error instanceof TypeError)) throw error;
      }
    }
  }

  #drop(stream: Stream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #send(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const parts = Object.entries(await this.#snapshots());
      const events = new Map(parts.map(([name, value]) => [name, eventText(name, value)]));
      this.#sendTo(events);
    } catch (error) {
      // the streams stay: the next round may succeed
      log.error`cannot send the state to the dashboard: ${messageOf(error)}`;
    } finally {
      this.#busy = false;
    }
  }

  #sendTo(events: ReadonlyMap<string, string>): void {
    const changed = [...events].filter(([name, text]) => this.#sent.get(name) !== text);
    this.#sent = events;
    const [all, news] = [[...events], changed].map((some) =>
      this.#encoder.encode(some.map(([, text]) => text).join(""))
    );
    for (const [stream, isCurrent] of this.#streams) {
      const bytes = isCurrent ? news : all;
      if (!bytes || bytes.length === 0) continue;
      const isRead = (stream.desiredSize ?? 0) > 0;
      if (isRead) stream.enqueue(bytes);
      this.#streams.set(stream, isRead);
    }
  }
}

function eventText(name: string, value: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(value)}\n\n`;
}
