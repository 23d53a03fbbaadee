/**
 * The fields of routes.yaml: what each takes, its default, and how it is described to people and editors.
 *
 * The messages are the end of a sentence that begins with the value that stood there: `70000` + `is not a port; ...`.
 */

import * as v from "valibot";
import { messageOf } from "../errors.ts";
import { parseDuration, parseHost, parseListenAddress } from "./units.ts";

/** Longest ID that `limits.id_bytes` may allow. */
const LONGEST_ID = 65535;

/** Says that a value is wrong in words that need no value before them. */
export const WHOLE_SENTENCE = "\0";

const sentence = (error: unknown) => WHOLE_SENTENCE + messageOf(error);

function text<Parsed>(parse: (text: string) => Parsed, complaint: string) {
  return v.pipe(
    v.string(complaint),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      try {
        return parse(dataset.value);
      } catch (error) {
        addIssue({ message: sentence(error) });
        return NEVER;
      }
    }),
  );
}

function integer(lowest: number, highest: number, complaint: string) {
  return v.pipe(
    v.number(complaint),
    v.integer(complaint),
    v.minValue(lowest, complaint),
    v.maxValue(highest, complaint),
  );
}

function wait(fallback: string, description: string) {
  const complaint = "is not a duration; write a whole number and a unit, such as 250ms, 5s, 10m or 1h";
  const positive = v.minValue(1, "is no time at all; write 1ms or more");
  const duration = v.pipe(text(parseDuration, complaint), v.number(), positive);
  return v.optional(v.pipe(duration, v.description(description)), fallback);
}

function flag(fallback: boolean, description: string) {
  return v.optional(v.pipe(v.boolean("is neither true nor false"), v.description(description)), fallback);
}

const portSchema = v.pipe(
  integer(1, 65535, "is not a port; write a whole number from 1 to 65535"),
  v.description("TCP port of the upstream."),
);

const hostSchema = v.pipe(
  text(parseHost, "is not a host; write a name such as n1.example.com, or an IP address"),
  v.description("Name or IP address of the upstream; IPv6 without brackets."),
);

/** A name or pattern for IDs. Only integers that YAML leaves as they are written stand for their text. */
const idText = v.pipe(
  v.union([v.string(), v.number(), v.bigint()], "is not an ID; write text"),
  v.transform(String),
);

const listenerSchema = v.strictObject({
  address: v.pipe(
    text(parseListenAddress, "is not an address; write host:port, such as 0.0.0.0:8888 or [::1]:9000"),
    v.description(
      'Where to listen: "0.0.0.0:8888", "[::1]:9000", or ":8888" for every IPv4 address; port 0: any.',
    ),
  ),
}, "is not a listener; write { address: 0.0.0.0:8888 }");

const routeSchema = v.strictObject({
  id: v.optional(v.pipe(idText, v.description("The one client ID that takes this route."))),
  match: v.optional(
    v.pipe(idText, v.description("Glob over client IDs: * is any run of characters, ? is one.")),
  ),
  host: hostSchema,
  port: portSchema,
}, "is not a route; write { id: 1, host: n1.example.com, port: 7777 }");

const levels = ["debug", "info", "warning", "error"] as const;
const formats = ["text", "json"] as const;

/** The whole file. */
export const configSchema = v.strictObject({
  listeners: v.optional(
    v.pipe(
      v.array(listenerSchema, "is not a list of listeners"),
      v.minLength(1, "has no listener; write one, or leave the field out for 0.0.0.0:8888"),
      v.description("Where connections are accepted."),
    ),
    [{ address: "0.0.0.0:8888" }],
  ),
  routes: v.pipe(
    v.array(routeSchema, "is not a list of routes"),
    v.description("Exact IDs are tried first, then globs in the order of the file."),
  ),
  default: v.optional(v.pipe(
    v.strictObject(
      { host: hostSchema, port: portSchema },
      "is not an upstream; write { host: ..., port: ... }",
    ),
    v.description("Where an ID goes that no route matches. Without it such a client is turned away."),
  )),
  forward_id: flag(true, "Whether the ID frame is sent on to the upstream."),
  timeouts: v.optional(
    v.strictObject({
      id: wait("5s", "Longest time from accepting a connection to its whole ID frame."),
      connect: wait("3s", "Longest time for one attempt to reach an upstream, its look-up included."),
    }, "is not a set of fields; write { id: 5s, connect: 3s }"),
    {},
  ),
  limits: v.optional(
    v.strictObject({
      id_bytes: v.optional(
        v.pipe(
          integer(1, LONGEST_ID, `is not a length in bytes; write a whole number from 1 to ${LONGEST_ID}`),
          v.description("Longest client ID, in bytes of UTF-8."),
        ),
        255,
      ),
    }, "is not a set of fields; write { id_bytes: 255 }"),
    {},
  ),
  log: v.optional(
    v.strictObject({
      level: v.optional(
        v.pipe(
          v.picklist(levels, "is not a level; write debug, info, warning or error"),
          v.description("Least severity that is logged."),
        ),
        "info",
      ),
      format: v.optional(
        v.pipe(
          v.picklist(formats, "is not a format; write text or json"),
          v.description("Form of a log line."),
        ),
        "text",
      ),
      access: flag(true, "Whether each connection is logged at its end."),
    }, "is not a set of fields; write { level: info, format: text, access: true }"),
    {},
  ),
}, "is not a configuration; write fields such as routes:");

/** Fields of the design that this version does not have, by the path of the mapping that they would stand in. */
export const LATER_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["", [
    "admin",
    "tables",
    "redis",
    "pools",
    "proxy_protocol",
    "duplicate_id",
    "workers",
    "allow",
    "deny",
    "dns_ttl",
  ]],
  ["listeners[]", ["websocket", "tls", "proxy_protocol"]],
  ["routes[]", ["pool", "on_removal"]],
  ["default", ["pool"]],
  ["timeouts", ["idle", "half_close", "drain"]],
  ["limits", ["connections", "connections_per_ip", "connections_per_id", "connection_rate_per_ip"]],
]);
