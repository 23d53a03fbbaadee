/** The whole of routes.yaml: the one source of its checks, its defaults, its types and its JSON Schema. */

import * as v from "valibot";
import { adminSchema } from "./admin.ts";
import { boolean, choice, duration, networks } from "./fields.ts";
import { limitsSchema } from "./limits.ts";
import { listenersSchema } from "./listeners.ts";
import { logSchema } from "./log.ts";
import { poolsSchema } from "./pools.ts";
import { redisSchema } from "./redis.ts";
import { defaultSchema, routesSchema } from "./routes.ts";
import { tablesSchema } from "./tables.ts";
import { timeoutsSchema } from "./timeouts.ts";
import { webhooksSchema } from "./webhooks.ts";
import { workersSchema } from "./workers.ts";

const sendProxyProtocol = v.pipe(
  v.union([v.picklist(["v1", "v2"]), v.literal(false)], "v1, v2 or false"),
  v.description("Version of the PROXY header sent to upstreams before anything else."),
);

/** Every field. */
export const fileSchema = v.strictObject({
  listeners: listenersSchema,
  admin: v.optional(adminSchema, false),
  routes: routesSchema,
  default: v.exactOptional(defaultSchema),
  tables: tablesSchema,
  pools: v.optional(poolsSchema, {}),
  redis: v.exactOptional(redisSchema),
  forward_id: boolean(true, "Whether the ID frame is forwarded to the upstream."),
  proxy_protocol: v.optional(sendProxyProtocol, false),
  dns_ttl: duration(
    "30s",
    "How long a resolved address is used before it is refreshed; 0 resolves for each connection.",
  ),
  workers: workersSchema,
  timeouts: v.optional(timeoutsSchema, {}),
  limits: v.optional(limitsSchema, {}),
  duplicate_id: v.optional(
    choice(
      ["allow", "reject", "replace"],
      "What happens when an ID that is already connected connects again.",
    ),
    "allow",
  ),
  allow: v.exactOptional(
    networks(
      "Addresses that may connect; without it, all except those in deny.",
      "at least one entry, or no field allow for every address",
    ),
  ),
  deny: v.optional(networks("Addresses that may not connect, even if allow has them."), []),
  log: v.optional(logSchema, {}),
  webhooks: webhooksSchema,
}, "a mapping with the field routes");
