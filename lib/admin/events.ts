/** The stream of server-sent events that feeds the dashboard. */

import { answer, HttpError } from "./http.ts";

/** Between two events, in milliseconds. */
const INTERVAL_MS = 1000;

/** Most streams at once. */
const MOST_STREAMS = 50;

/** A named part of the state. Sent to a stream when it opens and then where it has changed. */
export type Snapshots = () => Promise<Readonly<Record<string, unknown>>>;

type Stream = ReadableStreamDefaultController<Uint8Array>;

/**
 * One timer, and one text, for all streams; without streams there is no timer. A stream that is not read skips events
 * instead of queueing them.
 */
export class EventFeed implements Disposable {
  readonly #snapshots: Snapshots;
  readonly #interval: number;
  readonly #streams = new Set<Stream>();
  readonly #encoder = new TextEncoder();
  #timer: ReturnType<typeof setInterval> | undefined;
  #busy = false;
  #sent = new Map<string, string>();

  /** @param interval In milliseconds. */
  constructor(snapshots: Snapshots, interval = INTERVAL_MS) {
    this.#snapshots = snapshots;
    this.#interval = interval;
  }

  /** Number of open streams. */
  get streams(): number {
    return this.#streams.size;
  }

  /** A new stream, for as long as its client reads. @throws {HttpError} 503 where too many are open */
  open(): Response {
    if (this.#streams.size >= MOST_STREAMS) {
      throw new HttpError(503, `${MOST_STREAMS} event streams are open, the most that there may be`);
    }
    let own: Stream | undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (stream) => {
        own = stream;
        this.#streams.add(stream);
        // the new one needs every part
        this.#sent.clear();
        this.#timer ??= setInterval(() => void this.#send(), this.#interval);
        void this.#send();
      },
      cancel: () => {
        if (own) this.#drop(own);
      },
    });
    return answer(body, "text/event-stream");
  }

  /** Ends every stream. */
  [Symbol.dispose](): void {
    for (const stream of this.#streams) {
      this.#drop(stream);
      stream.close();
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
      const changed = parts.flatMap(([name, value]) => this.#event(name, JSON.stringify(value)));
      const bytes = this.#encoder.encode(changed.join(""));
      for (const stream of this.#streams) {
        if (bytes.length > 0 && (stream.desiredSize ?? 0) > 0) stream.enqueue(bytes);
      }
    } finally {
      this.#busy = false;
    }
  }

  #event(name: string, data: string): string[] {
    if (this.#sent.get(name) === data) return [];
    this.#sent.set(name, data);
    return [`event: ${name}\ndata: ${data}\n\n`];
  }
}
