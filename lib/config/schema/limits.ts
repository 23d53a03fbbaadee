/** `limits`: how much clients may use. */

import * as v from "valibot";
import { DEFAULTS } from "../values.ts";
import { connectionCount, integer } from "./fields.ts";

const idBytes = integer("a number of bytes, 1 to 65535", "Longest client ID, in bytes of UTF-8.");

/** Limits on IDs and connections. At most half of `connections` may be without an ID at a time. */
export const limitsSchema = v.pipe(
  v.strictObject({
    id_bytes: v.optional(idBytes, DEFAULTS.idBytes),
    connections: v.exactOptional(
      connectionCount("Most connections at once; default as many as open files allow, at most 10,000"),
    ),
    connections_per_ip: v.optional(
      connectionCount("Most connections at once from one address (IPv6: from one /64)"),
      0,
    ),
    connections_per_id: v.optional(connectionCount("Most connections at once of one ID"), 0),
    connection_rate_per_ip: v.optional(
      connectionCount("Most new connections a second from one address (IPv6: from one /64)"),
      0,
    ),
  }, "a mapping such as { connections: 10000 }"),
  v.description("Limits for clients."),
);
