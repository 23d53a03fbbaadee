/** Finds the route of an ID: exact rules of the file and its tables, then Redis, then globs and the default. */

import type { Permit } from "../admission/permit.ts";
import { Refusal } from "../errors.ts";
import { poolProblem } from "../route/redis/value.ts";
import type { Route } from "../route/table.ts";
import type { Deadline } from "../util/deadlines.ts";
import { durationText, quote } from "../util/text.ts";
import type { Connection } from "./connection.ts";
import type { Current, Snapshot } from "./snapshot.ts";

/** A route, and the settings with which it is dialed. */
export interface FoundRoute {
  readonly route: Route;
  readonly snapshot: Snapshot;
  /** The rest of `timeouts.connect` after a look-up in Redis; undefined if there was none. */
  readonly deadline?: Deadline;
}

/**
 * The route of `id`: at once, or as a promise if Redis has to be asked, within `timeouts.connect`. A reload meanwhile
 * is taken into account.
 *
 * @throws {Refusal} UNKNOWN_ID, or UPSTREAM_UNAVAILABLE if Redis is unavailable, also as a rejection
 */
export function findRoute(
  id: string,
  connection: Connection,
  current: Current,
): FoundRoute | Promise<FoundRoute> {
  const { snapshot } = current;
  const { redis, table } = snapshot;
  if (!redis) return { route: known(id, table.find(id)), snapshot };
  const exact = table.findExact(id);
  if (exact) return { route: exact, snapshot };
  const found = redis.find(id);
  if (found instanceof Promise) return waitFor(found, id, connection, current);
  return { route: choose(id, found, snapshot), snapshot };
}

/**
 * Counts the connection for its ID, after the look-up of its route.
 *
 * @param deadline That of the look-up; it is disposed of if the connection is refused.
 * @throws {Refusal} LIMIT_EXCEEDED
 */
export function countId(permit: Permit, id: string, deadline: Deadline | undefined): void {
  try {
    permit.identified(id);
  } catch (error) {
    deadline?.[Symbol.dispose]();
    throw error;
  }
}

async function waitFor(
  found: Promise<Route | undefined>,
  id: string,
  connection: Connection,
  current: Current,
): Promise<FoundRoute> {
  const deadline = current.snapshot.connectDeadlines.start();
  connection.waitsUnder(deadline);
  try {
    const ofRedis = await deadline.guard(found, () => late(id, deadline));
    const { snapshot } = current;
    return { route: snapshot.table.findExact(id) ?? choose(id, ofRedis, snapshot), snapshot, deadline };
  } catch (error) {
    deadline[Symbol.dispose]();
    throw error;
  }
}

/** @param ofRedis The ID's route in Redis, if any. */
function choose(id: string, ofRedis: Route | undefined, { table, pools, redis }: Snapshot): Route {
  if (!ofRedis) return known(id, table.findOther(id));
  const problem = poolProblem(ofRedis.target, pools);
  if (problem !== undefined) throw unavailable(id, `${redis?.text}: ${problem}`);
  return ofRedis;
}

function known(id: string, route: Route | undefined): Route {
  if (!route) throw new Refusal("UNKNOWN_ID", `no route for ID ${JSON.stringify(id)}`);
  return route;
}

function late(id: string, { duration }: Deadline): Refusal {
  return unavailable(id, `no answer within timeouts.connect, which is ${durationText(duration)}`);
}

/** The client is not told where the hash is. */
function unavailable(id: string, detail: string): Refusal {
  const message = `the route of ID ${quote(id)} cannot be looked up now; try again later`;
  return new Refusal("UPSTREAM_UNAVAILABLE", message, { cause: new Error(`redis: ${detail}`) });
}
