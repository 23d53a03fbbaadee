/** The shape of routes.yaml: the one source of its checks and of its JSON Schema. */

import * as v from "valibot";
import { ADDRESS_WANTED, DURATION_WANTED, parseAddress, parseDuration } from "./units.ts";

const PORT_WANTED = "a port, 1 to 65535";

const duration = (fallback: string) =>
  v.optional(
    v.pipe(
      v.union([v.string(), v.literal(0)], DURATION_WANTED),
      v.check((value) => parseDuration(String(value)) !== undefined, DURATION_WANTED),
      v.description(DURATION_WANTED),
    ),
    fallback,
  );

const host = v.pipe(
  v.string("a host name or IP address"),
  v.regex(/^[^\s/:@]+$|^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/, "a host name or IP address, without scheme or port"),
  v.description("Host name or IP address of the upstream"),
);

const port = v.pipe(
  v.number(PORT_WANTED),
  v.integer(PORT_WANTED),
  v.minValue(1, PORT_WANTED),
  v.maxValue(65535, PORT_WANTED),
  v.description("TCP port of the upstream"),
);

const id = v.pipe(v.string("an ID: text, or an integer"), v.description("Client ID that this rule is for"));

const match = v.pipe(
  v.string("a glob, such as eu-*"),
  v.nonEmpty("a glob, such as eu-*"),
  v.description("Glob over client IDs: * is any run of characters, ? is one"),
);

const route = v.pipe(
  v.strictObject({ id: v.optional(id), match: v.optional(match), host, port }),
  v.check((rule) => (rule.id === undefined) !== (rule.match === undefined), "either id or match, and not both"),
);

const idBytes = v.pipe(
  v.number("a number of bytes, 1 to 65535"),
  v.integer("a number of bytes, 1 to 65535"),
  v.minValue(1, "a number of bytes, 1 to 65535"),
  v.maxValue(65535, "a number of bytes, 1 to 65535"),
);

const listener = v.strictObject({
  address: v.pipe(
    v.string(ADDRESS_WANTED),
    v.check((text) => parseAddress(text, 0) !== undefined, ADDRESS_WANTED),
    v.description("Where to accept connections"),
  ),
});

/** The file as it is written, defaults filled in. */
export const fileSchema = v.strictObject({
  listeners: v.optional(
    v.pipe(v.array(listener, "a list of listeners"), v.minLength(1, "at least one listener")),
    [{ address: "0.0.0.0:8888" }],
  ),
  routes: v.array(route, "a list of routes"),
  default: v.optional(v.strictObject({ host, port }, "a host and a port")),
  forward_id: v.optional(v.boolean("true or false"), true),
  timeouts: v.optional(
    v.strictObject({ id: duration("5s"), connect: duration("3s") }, "a mapping of timeouts"),
    {},
  ),
  limits: v.optional(v.strictObject({ id_bytes: v.optional(idBytes, 255) }, "a mapping of limits"), {}),
  log: v.optional(
    v.strictObject({
      level: v.optional(
        v.picklist(["debug", "info", "warning", "error"], "debug, info, warning or error"),
        "info",
      ),
      format: v.optional(v.picklist(["text", "json"], "text or json"), "text"),
      access: v.optional(v.boolean("true or false"), true),
    }, "a mapping of log settings"),
    {},
  ),
}, "a mapping with the field routes");

/** Fields of the design that this version cannot honour yet: refused by name rather than ignored. */
export const NOT_YET: ReadonlySet<string> = new Set([
  ..."admin tables redis pools proxy_protocol duplicate_id workers allow deny dns_ttl".split(" "),
  ..."listeners[].websocket listeners[].tls listeners[].proxy_protocol".split(" "),
  ..."routes[].pool routes[].on_removal routes[].tls default.pool".split(" "),
  ..."timeouts.idle timeouts.half_close timeouts.drain timeouts.drain_spread".split(" "),
  ..."limits.connections limits.connections_per_ip limits.connections_per_id limits.connection_rate_per_ip".split(" "),
]);
