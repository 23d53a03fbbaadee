/** One worker, from the main thread's side. */

import { Worker } from "node:worker_threads";
import type { Config, DefaultConfig } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import type { ConnectionInfo } from "../observe/observer.ts";
import { sleep, soonOr } from "../util/async.ts";
import { Channel, type ResultOf } from "./channel.ts";
import type { MainCalls, Report, SentConfig, WorkerCalls, WorkerSettings } from "./calls.ts";
import type { SentHealth } from "../upstream/remote_health.ts";
import { whenGone } from "./presence.ts";

/**
 * Size of the young generation's semi-space, in MiB. Connections live long: with a small space their objects leave it
 * sooner, and an idle pair takes a third less memory (docs/performance.md).
 */
const YOUNG_GENERATION_MB = 6;

/** Routes per message: less than a millisecond of work for the receiver. */
const BATCH = 250;

/** How long a worker may take to close, in milliseconds: its webhooks and its log flush their queues meanwhile. */
const LAST_MS = 5000;

/** A worker ended unexpectedly; pending calls get no answer. */
export class WorkerDied extends Error {}

/** Options for starting a worker. */
export interface ThreadOptions extends WorkerSettings {
  /** The module to run. */
  readonly script: URL;
  /** See `WorkersOptions`. */
  readonly answerMs: number;
  /** Handlers for its calls. */
  readonly main: Omit<MainCalls, "failed">;
  /** Called once if it ends before `end` is called. */
  readonly onDeath: (thread: WorkerThread, why: string) => void;
}

/** A worker thread: its start, its calls, its death. */
export class WorkerThread {
  readonly index: number;
  readonly startedAt = performance.now();
  readonly #worker: Worker;
  readonly #channel: Channel<WorkerCalls>;
  readonly #threads: number;
  readonly #answerMs: number;
  readonly #onDeath: ThreadOptions["onDeath"];
  #report: Report = {
    active: 0,
    accepted: 0,
    bytes: { up: 0, down: 0 },
    counters: undefined,
    redis: undefined,
    open: undefined,
  };
  /** Offset from the worker's clock to that of the main thread, in milliseconds. */
  #clockOffset = 0;
  #presence: number | undefined;
  /** Whether it did not answer when a drain had to end. */
  #hangs = false;
  #over = false;

  constructor({ script, answerMs, main, onDeath, ...settings }: ThreadOptions) {
    this.index = settings.index;
    this.#onDeath = onDeath;
    this.#threads = settings.threads;
    this.#answerMs = answerMs;
    this.#worker = new Worker(script, {
      workerData: settings,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    const channel = this.#channel = new Channel<WorkerCalls>(this.#worker, {
      ...main,
      failed: (problem: string) => this.kill(problem),
    });
    this.#worker.on("message", (message) => channel.receive(message));
    this.#worker.on("error", (error) => this.kill(messageOf(error)));
    this.#worker.on("exit", () => this.kill("its thread has ended"));
  }

  /** Its last report. */
  get lastReport(): Report {
    return this.#report;
  }

  /** @throws {WorkerDied} if it ends before it answers; Error if its handler throws */
  call<Name extends keyof WorkerCalls>(
    name: Name,
    ...args: Parameters<WorkerCalls[Name]>
  ): Promise<ResultOf<WorkerCalls, Name>> {
    return this.#channel.call(name, ...args);
  }

  /** Resolves once it has loaded its modules. */
  async loaded(): Promise<void> {
    await this.call("addRoutes", [], 0);
  }

  /** Like `call`, but resolves to `otherwise` if the answer takes too long. */
  ask<Name extends keyof WorkerCalls>(
    name: Name,
    otherwise: ResultOf<WorkerCalls, Name>,
    ...args: Parameters<WorkerCalls[Name]>
  ): Promise<ResultOf<WorkerCalls, Name>> {
    return soonOr(this.call(name, ...args), this.#answerMs, () => otherwise);
  }

  /** Calls without waiting for an answer. */
  tell<Name extends keyof WorkerCalls>(name: Name, ...args: Parameters<WorkerCalls[Name]>): void {
    this.#channel.tell(name, ...args);
  }

  /** Lets it serve `config`. @param healths Health of the servers of pools */
  async start(config: Config, healths: () => readonly SentHealth[]): Promise<void> {
    const sent = await this.#send(config);
    const { timeOrigin, presence } = await this.call("start", sent, healths());
    this.#presence = presence;
    this.#clockOffset = timeOrigin - performance.timeOrigin;
  }

  /** The first step of a reload. */
  async prepare(config: Config): Promise<void> {
    await this.call("prepare", await this.#send(config));
  }

  /** Requests a report. */
  async report(withOpen: boolean): Promise<Report> {
    const report = await this.call("report", withOpen);
    // what another caller has asked for may be used later than this answer
    return this.#report = { ...report, open: report.open ?? this.#report.open };
  }

  /** A new report, or the last one if that takes too long. */
  state(withOpen: boolean): Promise<Report> {
    return soonOr(this.report(withOpen), this.#answerMs, () => this.#report);
  }

  /** The second step. A worker that fails here is ended: it would serve another configuration than the others. */
  async commit(healths: readonly SentHealth[]): Promise<number> {
    try {
      return await this.call("commit", healths);
    } catch (error) {
      this.kill(`it cannot use the configuration: ${messageOf(error)}`);
      return 0;
    }
  }

  /** Drains its connections. Resolves to the number that were terminated, soon after `drain` milliseconds at the latest. */
  endConnections(drain: number): Promise<number> {
    return soonOr(this.call("endConnections"), drain + this.#answerMs, () => {
      this.#hangs = true;
      return this.#report.active;
    });
  }

  /** Makes it stop listening and end its connections, and ends the thread, also if that takes too long. */
  async close(graceful: boolean): Promise<void> {
    const closed = new AbortController();
    const closing = this.#close(graceful).catch(() => {}).then(() => closed.abort());
    await sleep(this.#hangs ? 0 : LAST_MS, closed.signal);
    await this.end();
    await closing;
  }

  /** `connections` of this worker, with times on the main thread's clock. */
  inMainTime(connections: readonly ConnectionInfo[]): ConnectionInfo[] {
    const moved = (time: number | undefined) => time === undefined ? undefined : time + this.#clockOffset;
    return connections.map((connection) => ({
      ...connection,
      acceptedAt: connection.acceptedAt + this.#clockOffset,
      identifiedAt: moved(connection.identifiedAt),
      dialedAt: moved(connection.dialedAt),
      connectedAt: moved(connection.connectedAt),
    }));
  }

  /** Ends the thread immediately and reports its death because of `why`. */
  kill(why: string): void {
    if (this.#over) return;
    void this.end(why);
    this.#onDeath(this, why);
  }

  /** Waits until the thread has really ended. False if `signal` is aborted first. */
  async gone(signal: AbortSignal): Promise<boolean> {
    return this.#presence === undefined || await whenGone(this.#presence, signal);
  }

  /** Ends the thread. Pending calls are rejected. */
  async end(why = "it was terminated"): Promise<void> {
    this.#over = true;
    this.#channel.break(new WorkerDied(`worker ${this.index} has ended: ${why}`));
    await this.#worker.terminate();
  }

  async #close(graceful: boolean): Promise<void> {
    this.#report = await this.call("close", graceful);
  }

  async #send({ routes, ...config }: Config): Promise<SentConfig> {
    let at = 0;
    do {
      const batch = routes.slice(at, at + BATCH).map((route) => withShare(route, this.#threads));
      await this.call("addRoutes", batch, at);
      at += BATCH;
    } while (at < routes.length);
    return config.default ? { ...config, default: withShare(config.default, this.#threads) } : config;
  }
}

/** Each worker may hold an equal part of the route's held clients. */
function withShare<R extends DefaultConfig>(route: R, threads: number): R {
  const { hold } = route;
  return hold ? { ...route, hold: { ...hold, clients: Math.ceil(hold.clients / threads) } } : route;
}
