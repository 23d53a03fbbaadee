/** `timeouts`: how long things may take. */

import * as v from "valibot";
import { DEFAULTS } from "../values.ts";
import { duration, positiveDuration } from "./fields.ts";

/** Milliseconds once parsed. */
export const timeoutsSchema = v.pipe(
  v.strictObject({
    id: positiveDuration("5s", "From accepting a connection to its complete ID frame."),
    connect: positiveDuration(
      "3s",
      "For reaching a server: name resolution, connecting and TLS together, of a pool's servers in turn.",
    ),
    idle: duration("1h", "Longest time without a byte in either direction; 0 for no limit."),
    half_close: duration("5m", "The same once one side has finished sending; 0 for no limit."),
    drain: duration(
      DEFAULTS.drain,
      "How long connections may continue when the balancer shuts down or their route is removed.",
    ),
    drain_spread: duration(
      DEFAULTS.drainSpread,
      "Last part of drain, over which the remaining connections are closed one by one.",
    ),
  }, "a mapping such as { id: 5s, connect: 3s }"),
  v.description("Timeouts."),
);
