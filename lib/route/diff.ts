/** The difference between two routing tables. */

import type { Upstream } from "../config/config.ts";
import { TimeSlice } from "../util/async.ts";
import type { Route, RouteTable } from "./table.ts";

/** Numbers of rules. */
export interface Difference {
  readonly added: number;
  /** Rules whose upstream or `on_removal` is another. */
  readonly changed: number;
  readonly removed: number;
}

/** Compares two tables in slices, so that connections are served meanwhile. */
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
  return old.ca === now.ca && old.server_name === now.server_name && old.cert === now.cert &&
    old.key === now.key;
}
