/** The difference between two routing tables. */

import type { HoldConfig, Target, Upstream } from "../config/config.ts";
import type { ReloadResult } from "../config/reload_result.ts";
import type { TableChange } from "../tables/data.ts";
import type { SharedTable } from "../tables/shared_table.ts";
import { TimeSlice } from "../util/async.ts";
import type { Route, RouteTable } from "./table.ts";

/** Numbers of rules. */
type Difference = Omit<ReloadResult, "connections">;

/** Compares two tables in slices, so that connections are served meanwhile. */
export async function difference(before: RouteTable, after: RouteTable): Promise<Difference> {
  const slice = new TimeSlice();
  let { kept, changed } = await sharedChange(before.tables, after.tables, slice);
  const count = (old: Route | undefined, now: Route | undefined, sign: 1 | -1) => {
    if (!old || !now) return;
    kept += sign;
    if (!isSame(old, now)) changed += sign;
  };
  // an ID in `routes` of either table is counted here instead of with `tables`
  const recount = (id: string) => count(before.findInTables(id), after.findInTables(id), -1);
  for (const old of before.listed()) {
    if (slice.over) await slice.rest();
    count(old, after.routeOf(old.rule), 1);
    if (old.rule.kind === "id") recount(old.rule.text);
  }
  for (const id of before.tables ? after.ids() : []) {
    if (slice.over) await slice.rest();
    if (before.lists(id)) continue;
    count(before.findInTables(id), after.findExact(id), 1);
    recount(id);
  }
  return { added: after.size - kept, changed, removed: before.size - kept };
}

/** Numbers of IDs in both tables, and of those with another target; known already if the loader compared the tables. */
async function sharedChange(
  before: SharedTable | undefined,
  after: SharedTable | undefined,
  slice: TimeSlice,
): Promise<Pick<TableChange, "kept" | "changed">> {
  if (!before || !after) return { kept: 0, changed: 0 };
  if (before.data.serial === after.data.serial) return { kept: before.size, changed: 0 };
  if (after.data.change?.since === before.data.serial) return after.data.change;
  const comparison = before.compare(after);
  for (let step = comparison.next();; step = comparison.next()) {
    if (step.done) return step.value;
    if (slice.over) await slice.rest();
  }
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
