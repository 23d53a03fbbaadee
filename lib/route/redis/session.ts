/** Keeps a connection to Redis: reconnects, with growing pauses, until it is disposed of. */

import { sleep } from "../../util/async.ts";
import type { Link } from "./link.ts";

/** The first and the longest pause before reconnecting, in milliseconds. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/** How a session connects, and its callbacks. */
export interface SessionOptions {
  readonly connect: () => Promise<Link>;
  readonly onConnected: (link: Link) => void;
  /** The connection is lost. */
  readonly onLost: (reason: Error) => void;
  /** An attempt to connect has failed. */
  readonly onFailed: (reason: Error) => void;
  /** @default Math.random */
  readonly random?: () => number;
}

/** A lasting connection to Redis, over one `Link` after the other. */
export class Session implements AsyncDisposable {
  readonly #options: SessionOptions;
  readonly #closed = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Starts connecting. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Closes the connection. Resolves once everything is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed;
    for (let failures = 0; !signal.aborted;) {
      const connected = await this.#attempt(signal);
      failures = connected ? 0 : failures + 1;
      if (!signal.aborted) await sleep(this.#pause(failures), signal);
    }
  }

  /** Connects, and waits until the connection is lost. Resolves to whether it was established. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    const { connect, onConnected, onLost, onFailed } = this.#options;
    let link: Link;
    try {
      link = await connect();
    } catch (error) {
      if (!signal.aborted) onFailed(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
    using _link = link;
    const close = () => link[Symbol.dispose]();
    signal.addEventListener("abort", close);
    if (signal.aborted) return true;
    onConnected(link);
    const reason = await link.lost;
    signal.removeEventListener("abort", close);
    if (!signal.aborted) onLost(reason);
    return true;
  }

  /** Exponential back-off with jitter: many balancers lose the same server at the same moment. */
  #pause(failures: number): number {
    const { random = Math.random } = this.#options;
    return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) * (0.5 + random() / 2);
  }
}
