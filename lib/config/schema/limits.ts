/** `limits`: how much clients may use. */

import * as v from "valibot";
import { DEFAULTS } from "../values.ts";
import { connectionCount, integer } from "./fields.ts";

const idBytes = integer("a number of bytes, 1 to 65535", "Longest client ID, in bytes of UTF-8.");

/** Limits on IDs and connections. At most half of `connections` may be without an ID at a time. */
export const limitsSchema = v.pipe(
  v.strictObject({
    id_bytes: v.optional(idBytes, DEFAULTS.idBytes),
    connections: connectionCount(10_000, "Most connections at once"),
    connections_per_ip: connectionCount(
      0,
      "Most connections at once from one address (IPv6: from one /64)",
    ),
    connections_per_id: connectionCount(0, "Most connections at once of one ID"),
    connection_rate_per_ip: connectionCount(
      0,
      "Most new connections a second from one address (IPv6: from one /64)",
    ),
  }, "a mapping such as { connections: 10000 }"),
  v.description("How much clients may use."),
);
