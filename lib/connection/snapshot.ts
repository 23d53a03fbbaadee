/** What one configuration gives to its connections; a reload swaps it whole. */

import type { Limiter } from "../admission/limiter.ts";
import type { RouteTable } from "../route/table.ts";
import type { Deadlines } from "../util/deadlines.ts";
import type { DialSettings } from "./dial_settings.ts";
import type { IdleLimits } from "./idle_timeout.ts";
import type { ConnectionRegistry } from "./registry.ts";

/** Settings of one configuration. Immutable. */
export interface Snapshot extends DialSettings {
  readonly table: RouteTable;
  /** Longest ID in bytes. */
  readonly idBytes: number;
  readonly forwardId: boolean;
  readonly idDeadlines: Deadlines;
  readonly connectDeadlines: Deadlines;
  readonly idleLimits: IdleLimits;
}

/** What connections work with. All but `snapshot` and `draining` outlives a reload. */
export interface Current {
  readonly snapshot: Snapshot;
  /** Whether clients that send their ID from now on are refused. */
  readonly draining: boolean;
  readonly registry: ConnectionRegistry;
  readonly limiter: Limiter;
}
