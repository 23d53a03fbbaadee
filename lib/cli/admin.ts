/** The admin API of `switchyard serve`. */

import type { AdminServer } from "../admin/server.ts";
import { Balancer } from "../balancer.ts";
import type { Config } from "../config/config.ts";
import type { ReloadOutcome } from "../config/reloader.ts";
import type { Metrics } from "../observe/metrics.ts";
import { tracing } from "../observe/tracing.ts";
import { Webhooks } from "../observe/webhooks.ts";
import type { WorkersOptions } from "../workers/engine.ts";
import { VERSION } from "./version.ts";

/** A balancer and its observers. */
export interface Measured {
  readonly balancer: Balancer;
  /** Undefined where the admin API is off. */
  readonly metrics: Metrics | undefined;
  readonly webhooks: Webhooks;
}

/**
 * Starts a balancer. Without an admin API nothing is counted, and without tracing in the environment nothing is traced.
 * Modules of the admin API are loaded only where the configuration has one: they would delay each start.
 */
export async function startMeasured(
  config: Config,
  onStuck: WorkersOptions["onStuck"],
): Promise<Measured> {
  const running: { balancer?: Balancer } = {};
  const metrics = config.admin
    ? new (await import("../observe/metrics.ts")).Metrics(() => running.balancer?.engine.measured, VERSION)
    : undefined;
  const webhooks = new Webhooks(config.webhooks);
  const observers = [metrics, webhooks, tracing(VERSION.version)].filter((one) => one !== undefined);
  const options = { observers, counts: metrics !== undefined, version: VERSION.version, onStuck };
  const balancer = running.balancer = await Balancer.startThreads(config, options);
  return { balancer, metrics, webhooks };
}

/** The command's actions that the admin API can start. */
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
  const { AdminServer } = await import("../admin/server.ts");
  const startedAt = new Date(performance.timeOrigin);
  return await AdminServer.start(admin, { balancer, metrics, build: VERSION, startedAt, ...controls });
}
