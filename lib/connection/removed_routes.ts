/** Ends connections whose routes a reload has removed, according to `on_removal`. */

import type { OnRemoval } from "../config/config.ts";
import { Refusal } from "../errors.ts";
import type { RouteTable } from "../route/table.ts";
import { TimeSlice } from "../util/async.ts";
import type { Connection } from "./connection.ts";
import { drainConnections, type DrainEnd, type DrainTimes } from "./drain.ts";
import type { ConnectionRegistry } from "./registry.ts";

const REFUSAL = new Refusal("SHUTTING_DOWN", "the route of this ID was removed; connect again");
const DRAINED: DrainEnd = { closing: { reason: "drain", closedBy: "balancer" }, refusal: REFUSAL };
const CLOSED: DrainEnd = {
  closing: { reason: "kicked", closedBy: "balancer", detail: "its route was removed" },
  refusal: REFUSAL,
};

/** A completed reload. */
export interface Reloaded {
  readonly registry: ConnectionRegistry;
  /** The previous table. */
  readonly before: RouteTable;
  /** The current table, even after further reloads: a route that has returned ends no connection. */
  readonly after: () => RouteTable;
  readonly times: DrainTimes;
  /** Aborted once no more connections need to be ended. */
  readonly over: AbortSignal;
}

/** Ends the connections of removed routes. Resolves to their number; those to drain end later. */
export async function endRemoved({ registry, before, after, times, over }: Reloaded): Promise<number> {
  const slice = new TimeSlice();
  const draining: Connection[] = [];
  let closed = 0;
  for (const connection of registry) {
    if (slice.over) await slice.rest();
    const onRemoval = connection.joined ? removalOf(connection, before, after()) : "keep";
    if (onRemoval === "drain") draining.push(connection);
    if (onRemoval !== "close") continue;
    closed += 1;
    connection.terminate(CLOSED.closing, CLOSED.refusal);
  }
  const left = () => draining.filter(({ rule }) => rule && !after().routeOf(rule));
  if (draining.length > 0) void drainConnections(left, times, DRAINED, over);
  return closed + draining.length;
}

function removalOf({ rule }: Connection, before: RouteTable, after: RouteTable): OnRemoval {
  if (rule === undefined || after.routeOf(rule)) return "keep";
  return before.routeOf(rule)?.onRemoval ?? "keep";
}
