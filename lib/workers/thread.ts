/** One worker, as the main thread sees it. */

import { Worker } from "node:worker_threads";
import type { Config, DefaultConfig } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import type { ConnectionInfo } from "../observe/observer.ts";
import { Channel, type ResultOf } from "./channel.ts";
import type { MainCalls, Report, SentConfig, WorkerCalls, WorkerSettings } from "./calls.ts";
import type { SentHealth } from "../upstream/remote_health.ts";
import { whenGone } from "./presence.ts";

/**
 * Size of the young generation's space, in MiB. Connections live long: what they hold leaves a small space sooner, and an
 * idle pair takes a third less memory (docs/performance.md).
 */
const YOUNG_GENERATION_MB = 6;

/** Routes in a message: less than a millisecond's work for the thread that receives them. */
const BATCH = 250;

/** A worker has ended that was not asked to: what was asked of it gets no answer. */
export class WorkerDied extends Error {}

/** How a worker is started. */
export interface ThreadOptions extends WorkerSettings {
  /** The module that it runs. */
  readonly script: URL;
  /** Answers its calls. */
  readonly main: Omit<MainCalls, "failed">;
  /** Called once where it ends before `end` was called. */
  readonly onDeath: (thread: WorkerThread, why: string) => void;
}

/** See the top of the file. */
export class WorkerThread {
  readonly index: number;
  readonly startedAt = performance.now();
  readonly #worker: Worker;
  readonly #channel: Channel<WorkerCalls>;
  readonly #threads: number;
  readonly #onDeath: ThreadOptions["onDeath"];
  #report: Report = {
    active: 0,
    accepted: 0,
    bytes: { up: 0, down: 0 },
    counters: undefined,
    redis: undefined,
    open: undefined,
  };
  /** What the worker's times have to be moved by, in milliseconds. */
  #clockOffset = 0;
  #presence: number | undefined;
  #over = false;

  constructor({ script, main, onDeath, ...settings }: ThreadOptions) {
    this.index = settings.index;
    this.#onDeath = onDeath;
    this.#threads = settings.threads;
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
    this.#worker.on("exit", () => this.kill("it has ended by itself"));
  }

  /** What it told of itself last. */
  get lastReport(): Report {
    return this.#report;
  }

  /** @throws {WorkerDied} where it ends before it has answered; Error with what it has thrown */
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

  /** Tells it without waiting for an answer. */
  tell<Name extends keyof WorkerCalls>(name: Name, ...args: Parameters<WorkerCalls[Name]>): void {
    this.#channel.tell(name, ...args);
  }

  /** Has it serve `config`. @param healths Of the servers of pools */
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

  /** Asks it how it is. */
  async report(withOpen: boolean): Promise<Report> {
    return this.#report = await this.call("report", withOpen);
  }

  /** Has it stop listening and end its connections. */
  async close(gently: boolean): Promise<Report> {
    return this.#report = await this.call("close", gently);
  }

  /** `connections` of this worker, in times of the main thread's clock. */
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

  /** Ends the thread, whatever it is doing, as one that has died of `why`. */
  kill(why: string): void {
    if (this.#over) return;
    void this.end(why);
    this.#onDeath(this, why);
  }

  /** Waits until nothing of the thread is left. False where it still runs once `signal` is aborted. */
  async gone(signal: AbortSignal): Promise<boolean> {
    return this.#presence === undefined || await whenGone(this.#presence, signal);
  }

  /** Ends the thread. What was asked of it and is not answered is rejected. */
  async end(why = "it was ended"): Promise<void> {
    this.#over = true;
    this.#channel.break(new WorkerDied(`worker ${this.index} has ended: ${why}`));
    await this.#worker.terminate();
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

/** Each worker holds its part of the clients that a route may hold. */
function withShare<R extends DefaultConfig>(route: R, threads: number): R {
  const { hold } = route;
  return hold ? { ...route, hold: { ...hold, clients: Math.ceil(hold.clients / threads) } } : route;
}
