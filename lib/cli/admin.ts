/** The admin API of `switchyard serve`. */

import { AdminServer } from "../admin/server.ts";
import { metricsSource } from "../admin/source.ts";
import { Balancer } from "../balancer.ts";
import type { Config } from "../config/config.ts";
import type { ReloadOutcome } from "../config/reloader.ts";
import { Metrics } from "../observe/metrics.ts";
import { VERSION } from "./version.ts";

/** A balancer, and its metrics where the admin API is on. */
export interface Measured {
  readonly balancer: Balancer;
  readonly metrics: Metrics | undefined;
}

/** Starts a balancer. Without an admin API nothing is counted. */
export function startMeasured(config: Config): Measured {
  if (!config.admin) return { balancer: Balancer.start(config), metrics: undefined };
  const running: { balancer?: Balancer } = {};
  const metrics = new Metrics(() => running.balancer && metricsSource(running.balancer), VERSION);
  running.balancer = Balancer.start(config, { observers: [metrics] });
  return { balancer: running.balancer, metrics };
}

/** What the admin API may ask of the command. */
export interface Controls {
  readonly reload: () => Promise<ReloadOutcome> | undefined;
  readonly drain: () => void;
}

/** Serves the admin API of a configuration, if it has one. */
export async function startAdmin(
  { admin }: Config,
  { balancer, metrics }: Measured,
  controls: Controls,
): Promise<AdminServer | undefined> {
  if (!admin || !metrics) return undefined;
  const startedAt = new Date(performance.timeOrigin);
  return await AdminServer.start(admin, { balancer, metrics, build: VERSION, startedAt, ...controls });
}
