/** The difference between two routing tables. */

import type { HoldConfig, Target, Upstream } from "../config/config.ts";
import { TimeSlice } from "../util/async.ts";
import type { Route, RouteTable } from "./table.ts";

/** Numbers of rules. */
export interface Difference {
  readonly added: number;
  /** Rules whose target, `hold` or `on_removal` is another. */
  readonly changed: number;
  readonly removed: number;
}

/** Compares two tables in slices, so that connections are served meanwhile. */
export async function difference(before: RouteTable, after: RouteTable): Promise<Difference> {
  const slice = new TimeSlice();
  let [kept, changed] = [0, 0];
  for (const old of before.rules()) {
    if (slice.over) await slice.rest();
    const now = after.routeOf(old.rule);
    if (!now) continue;
    kept += 1;
    if (!isSame(old, now)) changed += 1;
  }
  return { added: after.size - kept, changed, removed: before.size - kept };
}

function isSame(old: Route, now: Route): boolean {
  return old.onRemoval === now.onRemoval && isSameTarget(old.target, now.target) &&
    isSameHold(old.hold, now.hold);
}

function isSameTarget(old: Target, now: Target): boolean {
  if (old.pool !== undefined || now.pool !== undefined) return old.pool === now.pool;
  return old.host === now.host && old.port === now.port && isSameTls(old.tls, now.tls);
}

function isSameHold(old: HoldConfig | undefined, now: HoldConfig | undefined): boolean {
  return old?.for === now?.for && old?.clients === now?.clients && old?.wake === now?.wake;
}

function isSameTls(old: Upstream["tls"] = false, now: Upstream["tls"] = false): boolean {
  if (typeof old !== "object" || typeof now !== "object") return old === now;
  return old.ca === now.ca && old.server_name === now.server_name && old.cert === now.cert &&
    old.key === now.key;
}
