/** The workers of a process: starts them, sends them calls, and replaces those that die. */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import type { Eviction } from "../shared/eviction.ts";
import { releaseThread, type SharedMemory } from "../shared/memory.ts";
import type { SentHealth } from "../upstream/remote_health.ts";
import { sleep } from "../util/async.ts";
import { counted, durationText } from "../util/text.ts";
import type { ResultOf } from "./channel.ts";
import type { Report, WorkerCalls } from "./calls.ts";
import { addToPast, NO_PAST, type Past } from "./totals.ts";
import type { SerialQueue } from "./queue.ts";
import { type ThreadOptions, WorkerDied, WorkerThread } from "./thread.ts";

const log = getLogger("switchyard");

/** Unanswered heartbeats after which a worker counts as dead. A suspension of the whole process counts as one. */
const MISSED_BEATS = 10;

/** Pause before a short-lived worker is replaced, in milliseconds: the first, and the longest. */
const BACKOFF_MS = { first: 100, longest: 30_000 };

/** A worker that has run for this long, in milliseconds, is replaced without a pause. */
const STABLE_MS = 60_000;

/** How long a replacement may take to start, in milliseconds. */
const START_MS = 60_000;

/** Options of a group. */
export interface GroupOptions
  extends Pick<ThreadOptions, "script" | "answerMs" | "main" | "version" | "counts"> {
  /** Number of workers. */
  readonly threads: number;
  /** The configuration for a replacement. */
  readonly config: () => Config;
  /** The health of the servers of pools, as decided by the main thread. */
  readonly healths: () => readonly SentHealth[];
  /** Time without an answer after which a worker counts as dead, in milliseconds. */
  readonly silenceMs: number;
  /** How long a thread may take to end, in milliseconds. */
  readonly endMs: number;
  /** Called if a worker cannot be ended, and still listens. */
  readonly onStuck: (problem: string) => void;
  /** The memory in which workers count connections. */
  readonly memory: SharedMemory;
  /** Serializes replacements with reloads. */
  readonly queue: SerialQueue;
}

/** The worker threads, of which each that dies is replaced. */
export class WorkerGroup {
  readonly #options: GroupOptions;
  readonly #living = new Map<number, WorkerThread>();
  readonly #closed = new AbortController();
  readonly #missed = new WeakMap<WorkerThread, number>();
  /** Pause before the next replacement of a worker, by its index. */
  readonly #pauses = new Map<number, number>();
  /** Workers that do not serve yet. */
  #starting: readonly WorkerThread[] = [];
  #beat: ReturnType<typeof setInterval> | undefined;
  #past = NO_PAST;
  #isEnding = false;
  #died = 0;

  constructor(options: GroupOptions) {
    this.#options = options;
  }

  /** Workers that serve. */
  get living(): readonly WorkerThread[] {
    return [...this.#living.values()];
  }

  /** One that is loaded. @throws Error if none is */
  get first(): WorkerThread {
    for (const thread of [...this.living, ...this.#starting]) return thread;
    throw new Error("no worker is running; try again");
  }

  /** Number of workers that have died. */
  get died(): number {
    return this.#died;
  }

  get past(): Past {
    return this.#past;
  }

  /** Starts all threads in parallel. Resolves once they have loaded their modules. */
  async load(): Promise<void> {
    this.#starting = Array.from({ length: this.#options.threads }, (_, index) => this.#spawn(index));
    await Promise.all(this.#starting.map((thread) => thread.loaded()));
  }

  /** Lets them serve `config`. @throws Error of the first that cannot */
  async serve(config: Config): Promise<void> {
    await Promise.all(this.#starting.map((thread) => thread.start(config, this.#options.healths)));
    for (const thread of this.#starting) this.#add(thread);
    this.#starting = [];
    this.#beat = setInterval(() => this.#beatAll(), this.#options.silenceMs / MISSED_BEATS);
  }

  /** The results of `ask` for each worker, except those that die before they answer. */
  async each<T>(ask: (thread: WorkerThread) => Promise<T>): Promise<T[]> {
    const answers = await Promise.allSettled(this.living.map(ask));
    return answers.flatMap((answer) => {
      if (answer.status === "fulfilled") return [answer.value];
      if (answer.reason instanceof WorkerDied) return [];
      throw answer.reason;
    });
  }

  /** Calls all workers. Resolves to their answers. */
  all<Name extends keyof WorkerCalls>(
    name: Name,
    ...args: Parameters<WorkerCalls[Name]>
  ): Promise<ResultOf<WorkerCalls, Name>[]> {
    return this.each((thread) => thread.call(name, ...args));
  }

  /** Current reports of the living workers: each worker is counted here or in `past`, even if it dies meanwhile. */
  async reports(withOpen: boolean): Promise<readonly Report[]> {
    await this.each((thread) => thread.state(withOpen));
    return this.living.map(({ lastReport }) => lastReport);
  }

  /** Calls all workers without waiting for answers. */
  tell<Name extends keyof WorkerCalls>(name: Name, ...args: Parameters<WorkerCalls[Name]>): void {
    for (const thread of this.living) thread.tell(name, ...args);
  }

  /** Forwards an eviction to the worker with this index, even if it is still starting. */
  evict(index: number, eviction: Eviction): void {
    const isIt = (thread: WorkerThread) => thread.index === index;
    const thread = this.#living.get(index) ?? this.#starting.find(isIt);
    thread?.tell("evict", eviction);
  }

  /** Replaces no worker from now on: a drain must not wait for one that hangs while it starts. */
  stopReplacing(): void {
    this.#isEnding = true;
    for (const thread of this.#starting) thread.kill("the balancer is shutting down");
  }

  /** Makes all workers stop listening and end their connections, and ends their threads. */
  async close(graceful: boolean): Promise<void> {
    this.#closed.abort();
    clearInterval(this.#beat);
    await Promise.all(this.#starting.map((thread) => thread.end()));
    const [{ living }, past] = [this, this.#past];
    const keep = () => this.#past = living.reduce((sum, { lastReport }) => addToPast(sum, lastReport), past);
    this.#living.clear();
    // a scrape while they close must not find less than one before
    keep();
    await Promise.all(living.map((thread) => thread.close(graceful)));
    keep();
  }

  #spawn(index: number): WorkerThread {
    const { threads, script, answerMs, main, memory, version, counts } = this.#options;
    const onDeath = (thread: WorkerThread, why: string) => this.#bury(thread, why);
    return new WorkerThread({ index, threads, script, answerMs, main, memory, version, counts, onDeath });
  }

  #beatAll(): void {
    for (const thread of this.living) {
      const missed = this.#missed.get(thread) ?? 0;
      this.#missed.set(thread, missed + 1);
      if (missed >= MISSED_BEATS) {
        thread.kill(`it has not answered for ${durationText(this.#options.silenceMs)}`);
      }
      if (missed > 0) continue;
      // a failed call needs no handling: the death of a worker is reported by `onDeath`
      thread.report(false).then(() => this.#missed.set(thread, 0), () => {});
    }
  }

  #bury(thread: WorkerThread, why: string): void {
    const { index, lastReport } = thread;
    // otherwise it never served, and its start is rejected
    if (this.#living.get(index) !== thread) return;
    this.#living.delete(index);
    this.#died += 1;
    this.#past = addToPast(this.#past, lastReport);
    const lost = counted(lastReport.active, "connection");
    log.error(`worker ${index} has died: ${why}; about ${lost} are lost with it`);
    void this.#replace(thread);
  }

  /** Waits for the thread's end. While it runs it still receives connections, so a replacement would not help. */
  async #endOf(thread: WorkerThread): Promise<boolean> {
    const enough = new AbortController();
    const timer = setTimeout(() => enough.abort(), this.#options.endMs);
    const isGone = await thread.gone(AbortSignal.any([enough.signal, this.#closed.signal]));
    clearTimeout(timer);
    if (isGone || this.#closed.signal.aborted) return true;
    this.#options.onStuck(
      `worker ${thread.index} hangs and cannot be ended, but still receives connections`,
    );
    return false;
  }

  async #replace(thread: WorkerThread): Promise<void> {
    const { index, startedAt } = thread;
    const { signal } = this.#closed;
    if (!await this.#endOf(thread)) return;
    if (performance.now() - startedAt >= STABLE_MS) this.#pauses.delete(index);
    while (!signal.aborted) {
      // immediately instead of through the queue: other workers may wait for a lock that it held
      await releaseThread(this.#options.memory, index);
      const pause = this.#pauses.get(index) ?? 0;
      this.#pauses.set(index, Math.min(Math.max(2 * pause, BACKOFF_MS.first), BACKOFF_MS.longest));
      await sleep(pause, signal);
      try {
        return await this.#options.queue.add(() => this.#startAgain(index));
      } catch (error) {
        if (signal.aborted || this.#isEnding) return;
        log.error(`worker ${index} cannot be replaced: ${messageOf(error)}; trying again until it works`);
      }
    }
  }

  async #startAgain(index: number): Promise<void> {
    if (this.#closed.signal.aborted || this.#isEnding) return;
    const thread = this.#spawn(index);
    this.#starting = [thread];
    // a worker that hangs must not block the queue
    const timer = setTimeout(() => thread.kill("it did not start in time"), START_MS);
    try {
      await thread.start(this.#options.config(), this.#options.healths);
    } catch (error) {
      await thread.end();
      throw error;
    } finally {
      clearTimeout(timer);
      this.#starting = [];
    }
    if (this.#closed.signal.aborted) return await thread.end();
    this.#add(thread);
    log.info(`worker ${index} was replaced`);
  }

  #add(thread: WorkerThread): void {
    this.#living.set(thread.index, thread);
    // the health may have changed during its start
    thread.tell("useHealths", this.#options.healths());
  }
}
