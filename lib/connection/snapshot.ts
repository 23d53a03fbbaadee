/** What one configuration gives to its connections; a reload swaps it whole. */

import type { Limiter } from "../admission/limiter.ts";
import type { Config } from "../config/config.ts";
import type { RouteTable } from "../route/table.ts";
import type { UpstreamContexts } from "../transport/tls/client.ts";
import type { Dialer } from "../upstream/dialer.ts";
import type { Deadlines } from "../util/deadlines.ts";
import type { IdleLimits, IdleTimeout } from "./idle_timeout.ts";
import type { ConnectionRegistry } from "./registry.ts";

/** Settings of one configuration. Immutable. */
export interface Snapshot {
  readonly table: RouteTable;
  /** Longest ID in bytes. */
  readonly idBytes: number;
  readonly forwardId: boolean;
  readonly proxyProtocol: Config["proxy_protocol"];
  readonly idDeadlines: Deadlines;
  readonly connectDeadlines: Deadlines;
  /** How TLS is used to upstreams. */
  readonly upstreamTls: UpstreamContexts;
  readonly idleLimits: IdleLimits;
  readonly dialer: Dialer;
}

/** What connections work with. All but `snapshot` and `draining` outlives a reload. */
export interface Current {
  readonly snapshot: Snapshot;
  /** Whether clients that send their ID from now on are turned away. */
  readonly draining: boolean;
  readonly registry: ConnectionRegistry;
  readonly limiter: Limiter;
  readonly idleTimeout: IdleTimeout;
}
