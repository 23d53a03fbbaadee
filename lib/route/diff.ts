/** What a reload changes in the table. */

import type { Upstream } from "../config/config.ts";
import { TimeSlice } from "../util/async.ts";
import type { Route, RouteTable } from "./table.ts";

/** Numbers of rules. */
export interface Difference {
  readonly added: number;
  /** Those with another upstream, or another `on_removal`. */
  readonly changed: number;
  readonly removed: number;
}

/** Counts in what `after` differs from `before`, without holding up anything else meanwhile. */
export async function difference(before: RouteTable, after: RouteTable): Promise<Difference> {
  const slice = new TimeSlice();
  let [kept, changed] = [0, 0];
  for (const old of before.rules()) {
    if (slice.over) await slice.rest();
    const now = after.named(old.rule);
    if (!now) continue;
    kept += 1;
    if (!isSame(old, now)) changed += 1;
  }
  return { added: after.size - kept, changed, removed: before.size - kept };
}

function isSame(old: Route, now: Route): boolean {
  return old.onRemoval === now.onRemoval && old.upstream.host === now.upstream.host &&
    old.upstream.port === now.upstream.port && isSameTls(old.upstream.tls, now.upstream.tls);
}

function isSameTls(old: Upstream["tls"] = false, now: Upstream["tls"] = false): boolean {
  if (typeof old !== "object" || typeof now !== "object") return old === now;
  return old.ca === now.ca && old.server_name === now.server_name;
}
