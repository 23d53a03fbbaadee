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

/** Start-up data of a worker. */
export interface WorkerSettings {
  /** Number of workers. */
  readonly threads: number;
  /** From 0. */
  readonly index: number;
  /** The memory in which all workers count connections, so that limits hold over all of them. */
  readonly memory: SharedMemory;
  /** The version of Switchyard, for spans. */
  readonly version: string;
  /** Whether connections are counted for metrics. */
  readonly counts: boolean;
}

/** A configuration on its way to a worker: routes are sent separately, and listeners have their actual ports. */
export type SentConfig = Omit<Config, "routes">;

/** A worker's report when it begins to serve. */
export interface Started {
  /** `performance.timeOrigin` of the worker. */
  readonly timeOrigin: number;
  /** The UDP port of its `Presence`. */
  readonly presence: number;
}

/** A worker's report about itself. */
export interface Report {
  /** Open connections. */
  readonly active: number;
  /** Connections accepted since its start. */
  readonly accepted: number;
  readonly bytes: RelayedBytes;
  readonly counters: Counters | undefined;
  /** Undefined without `redis`. */
  readonly redis: RedisStats | undefined;
  /** Undefined if it was not requested: with many connections, counting takes a while. */
  readonly open: OpenCounts | undefined;
}

/** Answered by a worker. */
export interface WorkerCalls {
  /** Adds routes to the configuration that `start` or `prepare` completes. @param at Index of the first */
  addRoutes(routes: readonly RouteConfig[], at: number): void;
  /** Opens a port that the system chooses, for the next `start` or `prepare`; `abort` closes it. */
  reserve(host: string): Deno.NetAddr;
  /** Starts listening and serving. */
  start(config: SentConfig, healths: readonly SentHealth[]): Started;
  /** The first step of a reload; `commit` or `abort` is the second. */
  prepare(config: SentConfig): Promise<void>;
  /** Resolves to the number of connections affected. */
  commit(healths: readonly SentHealth[]): Promise<number>;
  abort(): void;
  /** Another worker has taken the places of connections of this one. */
  evict(eviction: Eviction): void;
  /** Updates the health of servers. */
  useHealths(healths: readonly SentHealth[]): void;
  /** Refuses new connections and drains the others. Resolves to the number of those that had to be terminated. */
  endConnections(): Promise<number>;
  /** Stops listening and ends all connections. @param graceful Whether to accept until no more connections arrive. */
  close(graceful: boolean): Promise<Report>;
  report(withOpen: boolean): Report;
  terminate(which: Selection, why: Closing): Promise<number>;
  /** Times are on the worker's clock. */
  connections(page: Page): Promise<readonly ConnectionInfo[]>;
  count(which: Counted): Promise<ConnectionCounts>;
}

/** Answered by the main thread. */
export interface MainCalls extends Waker {
  /** Writes whole lines to the log. Resolves once they have been written or dropped. */
  write(lines: Uint8Array): Promise<void>;
  /** The worker had an uncaught error, and must be ended. */
  failed(problem: string): void;
  /** An eviction for another worker, by index. */
  evict(index: number, eviction: Eviction): void;
  /** A client has dialed a server of a pool. */
  dialed(report: DialReport): void;
}
