/** Drains connections: they get some time to finish, and are then terminated one by one. */

import { sleep, spread } from "../util/async.ts";
import type { Refusal } from "../errors.ts";
import type { Closing } from "../observe/observer.ts";
import type { Connection } from "./connection.ts";

/** How long connections may take to finish, in milliseconds. */
export interface DrainTimes {
  readonly drain: number;
  /** The last part of `drain`, over which the remaining ones are terminated evenly. */
  readonly drain_spread: number;
}

/** The reason for terminating connections, and the refusal that clients are sent. */
export interface DrainEnd {
  readonly closing: Closing;
  readonly refusal: Refusal;
}

/**
 * Terminates the connections in `left` when the time is almost up, one by one over `drain_spread`; stops early when
 * `over` is aborted. Resolves to the number of terminated connections.
 */
export async function drainConnections(
  left: () => readonly Connection[],
  { drain, drain_spread }: DrainTimes,
  { closing, refusal }: DrainEnd,
  over: AbortSignal,
): Promise<number> {
  await sleep(drain - drain_spread, over);
  let terminated = 0;
  const terminate = (connection: Connection) => {
    if (!connection.joined) return;
    terminated += 1;
    connection.terminate(closing, refusal);
  };
  await spread(left(), drain_spread, terminate, over);
  return terminated;
}
