/** Ends all connections of an engine that shuts down. */

import { drainConnections, type DrainEnd, type DrainTimes } from "../connection/drain.ts";
import type { ConnectionRegistry } from "../connection/registry.ts";
import { SHUTTING_DOWN } from "../connection/rejection.ts";
import { sleep } from "../util/async.ts";

/** How long rejections may take to be delivered before the engine closes, in milliseconds. */
const REJECTIONS_MS = 500;

/** How an engine that shuts down ends its connections. */
export const SHUTDOWN: DrainEnd = {
  closing: { reason: "drain", closedBy: "balancer" },
  refusal: SHUTTING_DOWN,
};

/**
 * Lets open connections finish within `times`, then terminates the remaining ones, and later arrivals that are still
 * silent. Stops early when `closed` is aborted. Resolves to the number of terminated connections.
 */
export async function endConnections(
  registry: ConnectionRegistry,
  times: DrainTimes,
  closed: AbortSignal,
): Promise<number> {
  const { last } = registry;
  const left = () => [...registry].filter(({ conn }) => conn <= last);
  const terminated = await drainConnections(left, times, SHUTDOWN, whenEnded(registry, closed, last));
  for (const connection of registry) {
    if (connection.id === undefined && !connection.rejection) {
      connection.terminate(SHUTDOWN.closing, SHUTDOWN.refusal);
    }
  }
  await sleep(REJECTIONS_MS, whenEnded(registry, closed));
  return terminated;
}

/** A signal that is aborted once the connections numbered up to `last` have ended, or `closed` is aborted. */
function whenEnded(registry: ConnectionRegistry, closed: AbortSignal, last?: number): AbortSignal {
  const ended = new AbortController();
  void registry.ended(last).then(() => ended.abort());
  return AbortSignal.any([ended.signal, closed]);
}
