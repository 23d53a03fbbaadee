/** The data and the actions of the admin API. */

import type { Balancer } from "../balancer.ts";
import type { ReloadOutcome } from "../config/reloader.ts";
import type { BuildInfo, Metrics } from "../observe/metrics.ts";

/** Passed to every endpoint. */
export interface AdminSource {
  readonly balancer: Balancer;
  readonly metrics: Metrics;
  readonly build: BuildInfo;
  /** When it was started. */
  readonly startedAt: Date;
  /** Reloads the configuration; undefined if there is no file that can be read again. */
  readonly reload: () => Promise<ReloadOutcome> | undefined;
  /** Begins to drain, after which the process ends. */
  readonly drain: () => void;
}
