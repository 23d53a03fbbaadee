/** The interface of an engine to the balancer, the admin API and the command line: one in this thread, or workers. */

import type { Config } from "../config/config.ts";
import type { ReloadResult } from "../config/reload_result.ts";
import type { Page } from "../connection/page.ts";
import type { ConnectionCounts, Counted, RelayedBytes, Selection } from "../connection/registry.ts";
import type { Snapshot } from "../connection/snapshot.ts";
import type { MetricsSource } from "../observe/metrics.ts";
import type { Closing, ConnectionInfo } from "../observe/observer.ts";
import type { RedisStats } from "../observe/redis_stats.ts";

/** Totals. */
export interface Stats {
  readonly active: number;
  /** Connections accepted since the start. */
  readonly accepted: number;
  /** Bytes relayed since the start, from clients and from upstreams. */
  readonly bytes: RelayedBytes;
  /** Number of rules in the routing table. */
  readonly routes: number;
  readonly draining: boolean;
  /** Of all threads; undefined without `redis`. */
  readonly redis: RedisStats | undefined;
}

/** Options of a reload. */
export interface ReloadOptions {
  /**
   * Whether metrics and webhooks report it: false if the balancer itself changes a limit.
   *
   * @default true
   */
  readonly observed?: boolean;
}

/** The rules, servers and health by which connections are routed. */
export type Routing = Pick<Snapshot, "table" | "pools" | "upstreams" | "redis">;

/** A running engine, in one thread or in several. */
export interface EngineFace extends AsyncDisposable {
  /** The configuration in use. */
  readonly config: Config;
  /** The addresses listened on, with the ports that the system chose for port 0. */
  readonly addresses: readonly Deno.NetAddr[];
  /** Number of open connections; for other threads, as last reported. */
  readonly active: number;
  readonly draining: boolean;
  readonly snapshot: Routing;
  /**
   * Switches to `config` in one step. Open connections stay, except those whose route is removed and has an
   * `on_removal`. One call at a time.
   *
   * @throws Error if a listener cannot be opened, or while draining; nothing has changed then.
   */
  reload(config: Config, options?: ReloadOptions): Promise<ReloadResult>;
  /**
   * Refuses new connections, lets open ones finish for at most `timeouts.drain`, and closes. Resolves to the number of
   * connections that had to be terminated.
   */
  drain(): Promise<number>;
  /** Terminates the selected connections. Resolves to their number. */
  terminate(which: Selection, why: Closing): Promise<number>;
  /** Copies of the records of a page of connections. */
  connections(page: Page): Promise<readonly ConnectionInfo[]>;
  /** Counts open connections. */
  count(which: Counted): Promise<ConnectionCounts>;
  stats(): Promise<Stats>;
  /** The data for a scrape of metrics. */
  readonly measured: MetricsSource;
  /** Stops listening, terminates every connection and waits until all have ended. */
  close(): Promise<void>;
}
