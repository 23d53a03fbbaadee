/** A load generator: clients that keep a balancer busy for some time, and their measurements. */

import { type ClientTarget, connectTo, RefusedError } from "../acceptance/connect.ts";
import { concat } from "../util/bytes.ts";
import { connectCanceller } from "../upstream/cancel.ts";
import { messageOf } from "../errors.ts";
import { FrameReader } from "../frame/reader.ts";
import { encodeFrame, encodeId, FrameType } from "../frame/tlv.ts";
import { type Duplex, writeAll } from "../transport/duplex.ts";
import { sleep } from "../util/async.ts";
import { Histogram } from "./histogram.ts";

/**
 * What each client repeats: `rtt` sends a message and waits for its echo; `connect` connects, sends its ID, does one
 * round trip and closes; `stream` sends messages as fast as they are accepted.
 */
export type LoadMode = "rtt" | "connect" | "stream";

/** A load. */
export interface Load {
  readonly connect: ClientTarget;
  readonly id: string;
  readonly mode: LoadMode;
  /** Clients at work at the same time. */
  readonly connections: number;
  /** In milliseconds. */
  readonly duration: number;
  /** Length of each DATA frame's value. */
  readonly messageBytes: number;
  /** Called at intervals with the milliseconds that the load has run. */
  readonly onProgress?: (elapsed: number) => void;
}

/** The measurements. */
export interface LoadResult {
  /** Round trips, connections or messages that were completed. */
  readonly completed: number;
  /** Bytes in the values of those that were sent. */
  readonly bytes: number;
  readonly seconds: number;
  /** In milliseconds, of each round trip or connection; empty for a stream. */
  readonly latency: Histogram;
  /** Number of failures by message. */
  readonly errors: ReadonlyMap<string, number>;
}

/** How long a client waits after a failure, in milliseconds. */
const RETRY_MS = 10;

/** Interval between two calls of `onProgress`, in milliseconds. */
const PROGRESS_MS = 50;

/** Number of messages that are counted separately; further ones are counted together. */
const MOST_KINDS = 10;

/** Longest value of an ERROR frame, or of an echoed ID frame. */
const LEAST_VALUE_BYTES = 64 << 10;

const CHUNK_BYTES = 256 << 10;

/** Room for the header of a message that comes back in one WebSocket frame, so that one read takes both. */
const FRAMING_BYTES = 16;

/** Runs `load` to its end. Never rejects: failures are counted. */
export async function runLoad(load: Load): Promise<LoadResult> {
  return await new Running(load).run();
}

/** One client, and its results so far. */
interface Client {
  completed: number;
}

class Running {
  readonly #load: Load;
  readonly #message: Uint8Array;
  readonly #opening: Uint8Array;
  /** Shared by all clients over raw TCP for discarded bytes. */
  readonly #scrap: Uint8Array;
  readonly #latency = new Histogram();
  readonly #errors = new Map<string, number>();
  readonly #open = new Set<Duplex>();
  readonly #end = connectCanceller();

  constructor(load: Load) {
    this.#load = load;
    this.#message = encodeFrame(FrameType.DATA, new Uint8Array(load.messageBytes).fill(0x78));
    this.#opening = concat([encodeId(load.id), this.#message]);
    this.#scrap = new Uint8Array(
      load.mode === "stream" ? CHUNK_BYTES : this.#message.length + FRAMING_BYTES,
    );
  }

  async run(): Promise<LoadResult> {
    const { connections, duration, messageBytes, onProgress } = this.#load;
    const clients = Array.from({ length: connections }, (): Client => ({ completed: 0 }));
    const begun = performance.now();
    const timer = setTimeout(() => this.#stop(), duration);
    const ticks = onProgress && setInterval(() => onProgress(performance.now() - begun), PROGRESS_MS);
    await Promise.all(clients.map((client) => this.#work(client)));
    clearTimeout(timer);
    clearInterval(ticks);
    const seconds = (performance.now() - begun) / 1000;
    const completed = clients.reduce((sum, client) => sum + client.completed, 0);
    const bytes = completed * messageBytes;
    return { completed, bytes, seconds, latency: this.#latency, errors: this.#errors };
  }

  #stop(): void {
    this.#end.abort();
    for (const duplex of this.#open) duplex.close();
  }

  get #over(): boolean {
    return this.#end.signal.aborted;
  }

  /** Runs one client until the end, or until it fails before it has completed anything. */
  async #work(client: Client): Promise<void> {
    while (!this.#over) {
      try {
        await this.#connection(client);
      } catch (error) {
        if (this.#over) return;
        this.#count(messageOf(error));
        if (client.completed === 0) return;
        await sleep(RETRY_MS);
      }
    }
  }

  async #connection(client: Client): Promise<void> {
    const { connect, mode } = this.#load;
    const begun = performance.now();
    const duplex = await connectTo(connect, { signal: this.#end.signal });
    this.#open.add(duplex);
    try {
      if (this.#over) return;
      if (mode === "stream") await this.#stream(duplex, client);
      else await this.#identify(duplex);
      if (mode === "connect") this.#complete(client, begun);
      else if (mode === "rtt") await this.#roundTrips(duplex, client);
    } finally {
      this.#open.delete(duplex);
      duplex.close();
    }
  }

  /** Sends the ID and does the first round trip, which reaches the upstream. */
  async #identify(duplex: Duplex): Promise<void> {
    await Promise.all([writeAll(duplex, this.#opening), this.#firstAnswer(duplex)]);
  }

  async #firstAnswer(duplex: Duplex): Promise<void> {
    for await (const { type, value } of this.#frames(duplex)) {
      if (type === FrameType.ERROR) throw new RefusedError(value);
      if (type === FrameType.DATA) return;
    }
    throw new Error("the connection ended before the first message came back");
  }

  async #roundTrips(duplex: Duplex, client: Client): Promise<void> {
    const scrap = this.#scrapFor(duplex);
    while (!this.#over) {
      const begun = performance.now();
      await Promise.all([writeAll(duplex, this.#message), this.#answer(duplex, scrap)]);
      this.#complete(client, begun);
    }
  }

  /** A WebSocket decodes frames in its read buffer, so each needs a buffer of its own. */
  #scrapFor({ transport }: Duplex): Uint8Array {
    return transport === "tcp" ? this.#scrap : new Uint8Array(this.#scrap.length);
  }

  async #answer(duplex: Duplex, scrap: Uint8Array): Promise<void> {
    for (let missing = this.#message.length; missing > 0;) {
      const count = await duplex.read(scrap);
      if (count === null) throw new Error("the connection ended before a message came back");
      missing -= count;
    }
  }

  /** Messages of a client that is refused afterwards do not count. */
  async #stream(duplex: Duplex, client: Client): Promise<void> {
    const streamed = { messages: 0 };
    try {
      await Promise.all([this.#sendAlways(duplex, streamed), this.#drop(duplex)]);
    } catch (error) {
      if (!(error instanceof RefusedError)) client.completed += streamed.messages;
      throw error;
    }
  }

  /** Ends only by failing: when the load is over, the duplex is closed. */
  async #sendAlways(duplex: Duplex, streamed: { messages: number }): Promise<never> {
    await writeAll(duplex, this.#opening);
    for (;;) {
      await writeAll(duplex, this.#message);
      streamed.messages += 1;
    }
  }

  /** Throws at an ERROR frame; drops everything else. */
  async #drop(duplex: Duplex): Promise<void> {
    for await (const { type, value } of this.#frames(duplex)) {
      if (type === FrameType.ERROR) throw new RefusedError(value);
      break;
    }
    const scrap = this.#scrapFor(duplex);
    while (await duplex.read(scrap) !== null);
  }

  #frames(duplex: Duplex): FrameReader {
    return new FrameReader(duplex, { maxValueBytes: Math.max(LEAST_VALUE_BYTES, this.#load.messageBytes) });
  }

  #complete(client: Client, begun: number): void {
    client.completed += 1;
    this.#latency.record(performance.now() - begun);
  }

  #count(problem: string): void {
    const known = this.#errors.has(problem) || this.#errors.size < MOST_KINDS;
    const kind = known ? problem : "other errors";
    this.#errors.set(kind, (this.#errors.get(kind) ?? 0) + 1);
  }
}
