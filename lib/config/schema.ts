/**
 * The shape of routes.yaml: the one source of its checks, its defaults and its JSON Schema.
 *
 * Each message says what is wanted; `check.ts` puts the field and what stood there in front of it.
 */

import * as v from "valibot";
import {
  ADDRESS_WANTED,
  CIDR_WANTED,
  DEFAULTS,
  DURATION_WANTED,
  HOST_WANTED,
  ORIGIN_WANTED,
  parseAddress,
  parseCidr,
  parseDuration,
  parseHost,
  parseOrigin,
  parsePath,
  PATH_WANTED,
} from "./values.ts";

const PORT_WANTED = "a port, 1 to 65535";
const ID_BYTES_WANTED = "a number of bytes, 1 to 65535";
const NETWORKS_WANTED = "a list of networks, such as [10.0.0.0/8]";
const MOST = 10_000_000;
const COUNT_WANTED = `a number of connections, 0 to ${MOST}; 0 for no limit`;
const UPSTREAM_TLS_WANTED = "true, false or a mapping such as { ca: ca.pem, server_name: n1.example.com }";
const FILE_WANTED = "a path of a file, taken from the folder of this one";
const PROXY_VERSIONS = ["v1", "v2"] as const;
const DUPLICATES = ["allow", "reject", "replace"] as const;
const LEVELS = ["debug", "info", "warning", "error"] as const;
const FORMATS = ["text", "json"] as const;

function parsed<T>(
  parse: (text: string) => T | undefined,
  wanted: string,
  description: string,
  written: v.GenericSchema<unknown, string | number> = v.string(wanted),
) {
  return v.pipe(
    written,
    v.description(description),
    v.rawTransform(({ dataset, addIssue, NEVER }): T => {
      const value = parse(String(dataset.value));
      if (value !== undefined) return value;
      addIssue({ message: wanted });
      return NEVER;
    }),
  );
}

function whole(wanted: string) {
  return v.pipe(v.number(wanted), v.integer(wanted), v.minValue(1, wanted), v.maxValue(65535, wanted));
}

/** Without any time at all nobody would get through, so 0 is not among the durations here. */
function wait(fallback: string, description: string) {
  const positive = (text: string) => parseDuration(text) || undefined;
  return v.optional(parsed(positive, DURATION_WANTED, description), fallback);
}

/** A duration that may be 0, as a bare number too. */
function span(fallback: string, description: string) {
  const written = v.union([v.literal(0), v.string()], DURATION_WANTED);
  return v.optional(parsed(parseDuration, DURATION_WANTED, description, written), fallback);
}

function file(description: string) {
  return v.pipe(v.string(FILE_WANTED), v.minLength(1, FILE_WANTED), v.description(description));
}

function flag(fallback: boolean, description: string) {
  return v.optional(v.pipe(v.boolean("true or false"), v.description(description)), fallback);
}

/** An integer in the file stands for its digits; what YAML would change has been refused before. */
function idText(wanted: string, description: string) {
  return v.pipe(
    v.union([v.string(), v.number(), v.bigint()], wanted),
    v.description(description),
    v.transform(String),
  );
}

const host = parsed(parseHost, HOST_WANTED, "Host name or IP address of the upstream.");

const port = v.pipe(whole(PORT_WANTED), v.description("TCP port of the upstream."));

const network = parsed(parseCidr, CIDR_WANTED, "IPv4 or IPv6 address, alone or with the length of a prefix.");

const acceptProxy = v.strictObject({
  trusted: v.pipe(
    v.array(network, NETWORKS_WANTED),
    v.minLength(1, "at least one entry"),
    v.description("Proxies, which must say for whom they connect; nobody else may."),
  ),
}, "a mapping such as { trusted: [10.0.0.0/8] }");

const tls = v.strictObject({
  cert: file("Certificate in PEM, followed by those between it and the root."),
  key: file("Private key in PEM, without a passphrase."),
}, "a mapping such as { cert: cert.pem, key: key.pem }");

const sendProxy = v.pipe(
  v.union([v.picklist(PROXY_VERSIONS), v.literal(false)], "v1, v2 or false"),
  v.description("Version of the PROXY header that upstreams get ahead of all else."),
);

/** A list that holds something: an empty one would keep everybody out. */
const origins = v.pipe(
  v.array(
    parsed(parseOrigin, ORIGIN_WANTED, "Scheme, host and port of a page, as browsers state it."),
    "a list of origins",
  ),
  v.minLength(1, "at least one origin, or no field origins for any"),
  v.description(
    "Pages that may connect; without the list any may. Clients that are no browser state no origin.",
  ),
);

const WEBSOCKET_WANTED = "false, or a mapping such as { path: /, origins: [https://app.example.com] }";

const websocket = v.pipe(
  v.union([
    v.literal(false),
    v.strictObject({
      path: v.exactOptional(
        parsed(parsePath, PATH_WANTED, "The only path that is served; without it any is."),
      ),
      origins: v.exactOptional(origins),
    }, WEBSOCKET_WANTED),
  ], WEBSOCKET_WANTED),
  v.description("Which WebSockets are taken beside raw frames; false for none, without the field all are."),
);

const listener = v.strictObject({
  address: parsed(
    (text) => parseAddress(text, 0),
    ADDRESS_WANTED,
    "Where to accept connections: host:port, [::1]:9000 or :8888; port 0 is any free one.",
  ),
  websocket: v.exactOptional(websocket),
  tls: v.exactOptional(tls),
  proxy_protocol: v.exactOptional(acceptProxy),
}, "a mapping such as { address: 0.0.0.0:8888 }");

const upstreamTls = v.pipe(
  v.union([
    v.boolean(),
    v.strictObject({
      ca: v.exactOptional(file("Certificates to trust, in PEM, besides those that Deno trusts.")),
      server_name: v.exactOptional(
        parsed(
          parseHost,
          HOST_WANTED,
          "Name that the certificate must have, where it is not that of the host.",
        ),
      ),
    }, UPSTREAM_TLS_WANTED),
  ], UPSTREAM_TLS_WANTED),
  v.description("Whether, and how, TLS is spoken to the upstream."),
);

/** A rule of the table. */
export const routeSchema = v.strictObject({
  id: v.exactOptional(
    idText("an ID", "Client ID that this rule is for."),
  ),
  match: v.exactOptional(
    idText("a glob, such as eu-*", "Glob over client IDs: * is any run of characters, ? is one."),
  ),
  host,
  port,
  tls: v.exactOptional(upstreamTls),
  on_removal: v.exactOptional(v.pipe(
    v.picklist(["keep", "drain", "close"], "keep, drain or close"),
    v.description("What becomes of this route's connections when a reload removes it; keep without it."),
  )),
}, "a mapping such as { id: 1, host: n1.example.com, port: 7777 }");

const timeouts = v.strictObject({
  id: wait("5s", "From accepting a connection to its whole ID frame."),
  connect: wait(
    "3s",
    "For reaching an upstream: name resolution, connecting and the TLS handshake together.",
  ),
  idle: span("1h", "Longest time without a byte either way; 0 for no limit."),
  half_close: span("5m", "The same once one side has finished sending; 0 for no limit."),
  drain: span(
    DEFAULTS.drain,
    "How long connections may go on when the balancer ends or their route is removed.",
  ),
  drain_spread: span(
    DEFAULTS.drainSpread,
    "Last part of drain, over which what is left is closed one by one.",
  ),
}, "a mapping such as { id: 5s, connect: 3s }");

const idBytes = v.pipe(whole(ID_BYTES_WANTED), v.description("Longest client ID, in bytes of UTF-8."));

function most(fallback: number, description: string) {
  const count = v.pipe(
    v.number(COUNT_WANTED),
    v.integer(COUNT_WANTED),
    v.minValue(0, COUNT_WANTED),
    v.maxValue(MOST, COUNT_WANTED),
    v.description(`${description}; 0 for no limit.`),
  );
  return v.optional(count, fallback);
}

const limits = v.strictObject({
  id_bytes: v.optional(idBytes, DEFAULTS.idBytes),
  connections: most(10_000, "Most connections at once"),
  connections_per_ip: most(0, "Most connections at once from one address (IPv6: from one /64)"),
  connections_per_id: most(0, "Most connections at once of one ID"),
  connection_rate_per_ip: most(0, "Most new connections in a second from one address (IPv6: from one /64)"),
}, "a mapping such as { connections: 10000 }");

const duplicateId = v.pipe(
  v.picklist(DUPLICATES, "allow, reject or replace"),
  v.description("What happens where an ID that is connected connects again."),
);

const level = v.pipe(
  v.picklist(LEVELS, "debug, info, warning or error"),
  v.description("Severity below which nothing is logged."),
);

const format = v.pipe(v.picklist(FORMATS, "text or json"), v.description("Form of a log line."));

const log = v.strictObject({
  level: v.optional(level, "info"),
  format: v.optional(format, "text"),
  access: flag(true, "Whether each connection gets a line at its end."),
}, "a mapping such as { level: info, format: text, access: true }");

/** The whole file. */
export const fileSchema = v.strictObject({
  listeners: v.optional(
    v.pipe(
      v.array(listener, "a list of listeners"),
      v.minLength(1, "at least one listener, or no field listeners for 0.0.0.0:8888"),
      v.description("Where connections are accepted."),
    ),
    [{ address: "0.0.0.0:8888" }],
  ),
  routes: v.pipe(
    v.array(routeSchema, "a list of routes"),
    v.description("Exact IDs are tried first, then globs in file order, then default."),
  ),
  default: v.exactOptional(v.pipe(
    v.strictObject(
      { host, port, tls: v.exactOptional(upstreamTls) },
      "a mapping such as { host: n1.example.com, port: 7777 }",
    ),
    v.description("Upstream of an ID that no route matches; without it such a client is turned away."),
  )),
  forward_id: flag(true, "Whether the ID frame is sent on to the upstream."),
  proxy_protocol: v.optional(sendProxy, false),
  dns_ttl: span(
    "30s",
    "How long an answer of the resolver is used before it is refreshed; 0 to look names up for each connection.",
  ),
  timeouts: v.optional(timeouts, {}),
  limits: v.optional(limits, {}),
  duplicate_id: v.optional(duplicateId, "allow"),
  allow: v.exactOptional(v.pipe(
    v.array(network, NETWORKS_WANTED),
    v.minLength(1, "at least one entry, or no field allow for every address"),
    v.description("Addresses that may connect; without the field all but those in deny."),
  )),
  deny: v.optional(
    v.pipe(
      v.array(network, NETWORKS_WANTED),
      v.description("Addresses that may not connect, also where allow holds them."),
    ),
    [],
  ),
  log: v.optional(log, {}),
}, "a mapping with the field routes");

/** Fields of the design that this version cannot honour yet: refused by name rather than ignored. */
export const NOT_YET: ReadonlySet<string> = new Set([
  ..."admin tables redis pools workers".split(" "),
  ..."routes[].pool default.pool".split(" "),
]);
