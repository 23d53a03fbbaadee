/** The settings of one configuration for its connections; a reload swaps them as a whole. */

import type { Limiter } from "../admission/limiter.ts";
import type { RouteTable } from "../route/table.ts";
import type { Deadlines } from "../util/deadlines.ts";
import type { DialSettings } from "./dial_settings.ts";
import type { IdleLimits } from "./idle_timeout.ts";
import type { ConnectionRegistry } from "./registry.ts";

/** Settings of one configuration. Immutable. */
export interface Snapshot extends DialSettings {
  readonly table: RouteTable;
  /** Maximum length of an ID, in bytes. */
  readonly idBytes: number;
  readonly forwardId: boolean;
  readonly idDeadlines: Deadlines;
  readonly connectDeadlines: Deadlines;
  readonly idleLimits: IdleLimits;
}

/** The environment of connections. Everything but `snapshot` and `draining` survives reloads. */
export interface Current {
  readonly snapshot: Snapshot;
  /** Whether clients that send their ID from now on are refused. */
  readonly draining: boolean;
  readonly registry: ConnectionRegistry;
  readonly limiter: Limiter;
}
