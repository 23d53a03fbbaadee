/** The calls between the main thread and its workers. All values survive a structured clone. */

import type { Config, RouteConfig } from "../config/config.ts";
import type { Page } from "../connection/page.ts";
import type { ConnectionCounts, Counted, RelayedBytes, Selection } from "../connection/registry.ts";
import type { Counters } from "../observe/counters.ts";
import type { OpenCounts } from "../observe/open_counts.ts";
import type { Closing, ConnectionInfo } from "../observe/observer.ts";
import type { RedisStats } from "../observe/redis_stats.ts";
import type { Eviction } from "../shared/eviction.ts";
import type { SharedMemory } from "../shared/memory.ts";
import type { DialReport, SentHealth } from "../upstream/remote_health.ts";
import type { Waker } from "../upstream/waker.ts";

/** The data that a worker is started with. */
export interface WorkerSettings {
  /** Number of workers. */
  readonly threads: number;
  /** From 0. */
  readonly index: number;
  /** In which all workers count connections, so that limits hold over all of them. */
  readonly memory: SharedMemory;
  /** The version that spans are marked with. */
  readonly version: string;
  /** Whether what happens to connections is counted, for metrics. */
  readonly counts: boolean;
}

/** A configuration on its way to a worker: its routes were sent before, and its listeners have their ports. */
export type SentConfig = Omit<Config, "routes">;

/** The report of a worker when it begins to serve. */
export interface Started {
  /** `performance.timeOrigin` of the worker. */
  readonly timeOrigin: number;
  /** The port of its `Presence`. */
  readonly presence: number;
}

/** The reports of a worker about itself. */
export interface Report {
  /** Connections open now. */
  readonly active: number;
  /** Accepted since its start. */
  readonly accepted: number;
  readonly bytes: RelayedBytes;
  readonly counters: Counters | undefined;
  /** Undefined without `redis`. */
  readonly redis: RedisStats | undefined;
  /** Undefined where it was not asked for: counting takes a while with many connections. */
  readonly open: OpenCounts | undefined;
}

/** Answered by a worker. */
export interface WorkerCalls {
  /** Routes of the configuration that `start` or `prepare` gives the rest of. @param at Index of the first */
  addRoutes(routes: readonly RouteConfig[], at: number): void;
  /** Begins to listen and serve. */
  start(config: SentConfig, healths: readonly SentHealth[]): Started;
  /** The first step of a reload; `commit` or `abort` is the second. */
  prepare(config: SentConfig): Promise<void>;
  /** Resolves to the number of connections affected. */
  commit(healths: readonly SentHealth[]): Promise<number>;
  abort(): void;
  /** Another worker needs the places of connections here. */
  evict(eviction: Eviction): void;
  /** The health of servers has changed. */
  useHealths(healths: readonly SentHealth[]): void;
  /** Refuses new connections and ends all gently. Resolves to the number of those that had to be terminated. */
  endConnections(): Promise<number>;
  /** Stops listening and ends what is left. @param gently Whether to accept until nothing more arrives. */
  close(gently: boolean): Promise<Report>;
  report(withOpen: boolean): Report;
  terminate(which: Selection, why: Closing): Promise<number>;
  /** Times are those of the worker's clock. */
  connections(page: Page): Promise<readonly ConnectionInfo[]>;
  count(which: Counted): Promise<ConnectionCounts>;
}

/** Answered by the main thread. */
export interface MainCalls extends Waker {
  /** Writes whole lines to the log. Resolves once they have been written or given up. */
  write(lines: Uint8Array): Promise<void>;
  /** The worker has come upon an error that nothing has caught, and is to be ended. */
  failed(problem: string): void;
  /** What another worker, by its index, is to evict. */
  evict(index: number, eviction: Eviction): void;
  /** A client has dialed a server of a pool. */
  dialed(report: DialReport): void;
}
