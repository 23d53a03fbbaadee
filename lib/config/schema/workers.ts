/** `workers` of routes.yaml. */

import * as v from "valibot";

/** Most workers: more processors than one machine has. */
export const MOST_WORKERS = 256;

/** The accepted values, for messages. */
export const WORKERS_EXPECTED = `a number of threads, 1 to ${MOST_WORKERS}, or auto`;

/** The field. */
export const workersSchema = v.optional(
  v.pipe(
    v.union([
      v.pipe(
        v.number(),
        v.integer(WORKERS_EXPECTED),
        v.minValue(1, WORKERS_EXPECTED),
        v.maxValue(MOST_WORKERS, WORKERS_EXPECTED),
      ),
      v.literal("auto"),
    ], WORKERS_EXPECTED),
    v.description("Threads that accept and relay; auto is one for each processor."),
  ),
  1,
);
