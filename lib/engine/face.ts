/** The interface of an engine to the balancer, the admin API and the command line: one in this thread, or workers. */

import type { Config } from "../config/config.ts";
import type { Page } from "../connection/page.ts";
import type { ConnectionCounts, Counted, RelayedBytes, Selection } from "../connection/registry.ts";
import type { Snapshot } from "../connection/snapshot.ts";
import type { MetricsSource } from "../observe/metrics.ts";
import type { Closing, ConnectionInfo, ReloadResult } from "../observe/observer.ts";
import type { RedisStats } from "../observe/redis_stats.ts";

/** Totals. */
export interface Stats {
  readonly active: number;
  /** Accepted since the start. */
  readonly accepted: number;
  /** Bytes relayed since the start, from clients and from upstreams. */
  readonly bytes: RelayedBytes;
  /** Rules in the routing table. */
  readonly routes: number;
  readonly draining: boolean;
  /** Of all threads; undefined without `redis`. */
  readonly redis: RedisStats | undefined;
}

/** Who is told of a reload. */
export interface ReloadOptions {
  /**
   * Whether metrics and webhooks report it: false where the balancer itself changes a limit.
   *
   * @default true
   */
  readonly observed?: boolean;
}

/** The rules and the servers, with their health, that connections are routed by. */
export type Routing = Pick<Snapshot, "table" | "pools" | "upstreams" | "redis">;

/** An engine that runs, in one thread or in several. */
export interface EngineFace extends AsyncDisposable {
  /** The configuration in use. */
  readonly config: Config;
  /** Where it listens, with the ports that the system chose for port 0. */
  readonly addresses: readonly Deno.NetAddr[];
  /** Number of connections open now; of those in other threads, as they were last heard of. */
  readonly active: number;
  readonly draining: boolean;
  readonly snapshot: Routing;
  /**
   * Switches to `config`, all of it in one step. Open connections are not touched, except those whose route is gone and
   * has an `on_removal`. One call at a time.
   *
   * @throws Error where a listener cannot be opened, or while draining; nothing has changed then.
   */
  reload(config: Config, options?: ReloadOptions): Promise<ReloadResult>;
  /**
   * Refuses new connections, lets those that are open run until they end or `timeouts.drain` is over, and closes.
   * Resolves to the number of connections that had to be terminated.
   */
  drain(): Promise<number>;
  /** Terminates the selected connections. Resolves to their number. */
  terminate(which: Selection, why: Closing): Promise<number>;
  /** Copies of the records of the connections in a page. */
  connections(page: Page): Promise<readonly ConnectionInfo[]>;
  /** Counts open connections. */
  count(which: Counted): Promise<ConnectionCounts>;
  stats(): Promise<Stats>;
  /** The data for a scrape of metrics. */
  readonly measured: MetricsSource;
  /** Stops listening, terminates every connection and waits until all have ended. */
  close(): Promise<void>;
}
