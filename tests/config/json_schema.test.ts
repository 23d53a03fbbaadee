import { Ajv } from "ajv";
import fc from "fast-check";
import { configJsonSchema } from "../../lib/config/json_schema.ts";
import { parseConfig } from "../../lib/config/parse.ts";
import { UsageError } from "../../lib/errors.ts";
import { assertEquals } from "../assert.ts";
import { sized } from "../soak.ts";
import { isLeaf, rootSchema, schemaNodes } from "./fields.ts";

const schema = rootSchema();

Deno.test("the JSON Schema requires only routes", () => assertEquals(schema.required, ["routes"]));

Deno.test("the JSON Schema allows no unknown field anywhere", () => {
  const open = [...schemaNodes(schema)].filter(([, node]) =>
    node.properties && node.additionalProperties !== false
  );
  assertEquals(open, []);
});

Deno.test("the JSON Schema describes every value", () => {
  const leaves = [...schemaNodes(schema)].filter(([, node]) => isLeaf(node));
  assertEquals(leaves.filter(([, node]) => !node.description).map(([path]) => path), []);
});

Deno.test("the JSON Schema accepts an ID as text and as an integer", () => {
  const alternatives = schema.properties?.["routes"]?.items?.properties?.["id"]?.anyOf;
  assertEquals(alternatives?.map(({ type }) => type), ["string", "integer"]);
});

Deno.test("the JSON Schema is plain JSON", () => {
  assertEquals(JSON.parse(JSON.stringify(schema)), schema);
});

const validate = new Ajv({ strict: true }).compile(JSON.parse(JSON.stringify(configJsonSchema())));

/** Whether the check accepts the document; undefined if the reason cannot be expressed by a schema. */
function checks(document: unknown): boolean | undefined {
  try {
    parseConfig(JSON.stringify(document), "routes.yaml");
    return true;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const isOfOneField = error.problems.some((problem) =>
      !/ again, |at most timeouts.drain|UTF-8|not of \d+$/.test(problem)
    );
    return isOfOneField ? false : undefined;
  }
}

const hosts = [
  "a.example.com",
  "10.0.0.1",
  "::1",
  "fe80::1%eth0",
  "a_b",
  "n1.",
  "",
  "10.0.0.256",
  "1.2",
  "a b",
  "-a",
  "[::1]",
  "h:1",
  "é",
  "a..b",
  "unix:/x",
];
const durations = ["250ms", "5s", "1.5s", "10m", "1h", "0s", "0", 0, 5, "5", "-5s", "5 s", "", true, null];
const addresses = [
  ":8888",
  "0.0.0.0:0",
  "[::1]:9000",
  "localhost:65535",
  "a:65536",
  "8888",
  8888,
  "::1:80",
  "[a]:1",
  ":",
  "h:01",
];
const networks = [
  "10.0.0.0/8",
  "::/0",
  "192.0.2.7",
  "2001:db8::/32",
  "10.0.0.0/33",
  "::/129",
  "10.0.0",
  "host",
  "/8",
  7,
  "fe80::%1/64",
];
const origins = [
  "https://app.example.com",
  "http://localhost:8080",
  "null",
  "NULL",
  "https://a/",
  "app.example.com",
  "https://[::1]:1",
  "https://a:0",
  "x",
];
const scalars = ["a", "eu-*", 1, -5, "", 1.5, true, null, "a\nb", ["a"], {}];
const files = ["a.pem", "/b.pem", "", 1, null];

/** An object with any of `fields`, and sometimes an unknown one. */
function some(fields: Readonly<Record<string, fc.Arbitrary<unknown>>>, requiredKeys: string[] = []) {
  const unknown = fc.constant(1);
  const all: Record<string, fc.Arbitrary<unknown>> = {
    ...fields,
    zzz: fc.option(unknown, { freq: 20, nil: undefined }),
  };
  return fc.record(all, { requiredKeys });
}

const oneOf = (values: readonly unknown[]) => fc.constantFrom(...values);
const port = oneOf([1, 7777, 65535, 7777, 7777, 0, 65536, 1.5, "7777", null]);
const hold = some({
  for: oneOf(durations),
  clients: oneOf([1, 0, 100_001]),
  wake: oneOf(["http://a", "ftp://a", "a"]),
});
const upstreamTls = fc.oneof(
  oneOf([true, false, "yes"]),
  some({ ca: oneOf(files), server_name: oneOf(hosts), cert: oneOf(files), key: oneOf(files) }),
);
const route = some({
  id: oneOf(scalars),
  match: fc.option(oneOf(scalars), { freq: 3, nil: undefined }),
  host: oneOf(hosts),
  port,
  tls: upstreamTls,
  hold,
  on_removal: oneOf(["keep", "drain", "close", "dran"]),
});
const listener = some({
  address: oneOf(addresses),
  websocket: fc.oneof(
    oneOf([false, true]),
    some({ path: oneOf(["/", "/ws", "ws", "/?a", "/a b"]), origins: fc.array(oneOf(origins)) }),
  ),
  tls: some({
    cert: oneOf(files),
    key: oneOf(files),
    client_ca: oneOf(files),
    client_cert: oneOf(["required", "optional", "x"]),
  }),
  proxy_protocol: some({ trusted: fc.array(oneOf(networks)) }),
});
const redisUrls = [
  "redis://h",
  "rediss://h:6380",
  "REDIS://[::1]:1/",
  "redis://10.0.0.1:65535",
  "redis://h:0",
  "redis://h:65536",
  "redis://user:secret@h",
  "redis://h/1",
  "redis://h:",
  "redis://",
  "http://h",
  "h:6379",
  "redis://a b",
  7,
  null,
];
const login = {
  username: fc.option(oneOf(["a", ""]), { freq: 2, nil: undefined }),
  password_file: oneOf(files),
};
const redis = some({
  url: fc.option(oneOf(redisUrls), { freq: 3, nil: undefined }),
  cluster: fc.option(fc.array(oneOf(addresses), { maxLength: 2 }), { freq: 2, nil: undefined }),
  sentinel: fc.option(
    some({ master: oneOf(["m", ""]), addresses: fc.array(oneOf(addresses), { maxLength: 1 }), ...login }),
    { freq: 2, nil: undefined },
  ),
  key: oneOf(["a", "", 1]),
  database: oneOf([0, 1, 65_536, 1.5]),
  ...login,
  tls: fc.option(upstreamTls, { freq: 2, nil: undefined }),
  timeout: oneOf(durations),
  stale: oneOf(durations),
  negative_ttl: oneOf(durations),
  cache_size: oneOf([1, 10_000_000, 0, 10_000_001]),
});
const timeouts = some(
  Object.fromEntries(
    ["id", "connect", "idle", "half_close", "drain"].map((name) => [name, oneOf(durations)]),
  ),
);
const document = some({
  listeners: fc.array(listener, { maxLength: 1 }),
  routes: fc.oneof({ weight: 9, arbitrary: fc.array(route, { maxLength: 1 }) }, oneOf(["a", null, {}])),
  default: some({ host: oneOf(hosts), port, tls: upstreamTls }),
  forward_id: oneOf([true, false, "yes"]),
  proxy_protocol: oneOf(["v1", "v2", false, "v3", true]),
  timeouts,
  limits: some({ id_bytes: oneOf([1, 255, 0, 65536]), connections: oneOf([0, 7, -1, "7"]) }),
  duplicate_id: oneOf(["allow", "reject", "replace", "x"]),
  workers: oneOf([1, 2, 256, "auto", 0, 257, 1.5, "2"]),
  dns_ttl: oneOf(durations),
  allow: fc.array(oneOf(networks), { maxLength: 2 }),
  deny: fc.array(oneOf(networks), { maxLength: 2 }),
  log: some({ level: oneOf(["debug", "loud"]), format: oneOf(["text", "xml"]), access: oneOf([true, "on"]) }),
}, ["routes"]);

/** Fails if schema and check disagree on `value`. */
function agree(value: unknown): void {
  // undefined fields are not in the file
  const written = JSON.parse(JSON.stringify(value));
  const expected = checks(written);
  if (expected === undefined) return;
  assertEquals(validate(written), expected, JSON.stringify([written, validate.errors]));
}

Deno.test("the JSON Schema and the check accept and refuse the same documents", () => {
  fc.assert(fc.property(document, agree), { numRuns: sized(500, 0.4) });
});

Deno.test("the JSON Schema and the check accept and refuse the same settings of redis", () => {
  fc.assert(fc.property(redis, (redis) => agree({ routes: [], redis })), { numRuns: sized(2000) });
});

/** One field at a time, so that each value decides by itself. */
const SINGLE: Readonly<
  Record<string, readonly [values: readonly unknown[], of: (value: unknown) => unknown]>
> = {
  host: [hosts, (host) => ({ routes: [{ id: "a", host, port: 1 }] })],
  id: [scalars, (id) => ({ routes: [{ id, host: "a", port: 1 }] })],
  "a positive duration": [durations, (id) => ({ routes: [], timeouts: { id } })],
  "a duration": [durations, (idle) => ({ routes: [], timeouts: { idle } })],
  address: [addresses, (address) => ({ routes: [], listeners: [{ address }] })],
  network: [networks, (network) => ({ routes: [], deny: [network] })],
  origin: [
    origins,
    (origin) => ({ routes: [], listeners: [{ address: ":1", websocket: { origins: [origin] } }] }),
  ],
  "origin of the dashboard": [
    origins,
    (origin) => ({ routes: [], admin: { address: "127.0.0.1:1", origins: [origin] } }),
  ],
  "URL of Redis": [redisUrls, (url) => ({ routes: [], redis: { url } })],
  "database of a cluster": [[0, 1], (database) => ({ routes: [], redis: { cluster: ["h:1"], database } })],
  file: [files, (cert) => ({ routes: [], listeners: [{ address: ":1", tls: { cert, key: "k" } }] })],
};

for (const [name, [values, of]] of Object.entries(SINGLE)) {
  Deno.test(`the JSON Schema and the check agree on every ${name}`, () => values.map(of).forEach(agree));
}

for (
  const [name, fields] of Object.entries({
    "id and match": { id: "a", match: "b", host: "h", port: 1 },
    "neither id nor match": { host: "h", port: 1 },
    "a pool and a host": { id: "a", pool: "eu", host: "h" },
    "a pool": { id: "a", pool: "eu" },
    "a pool and tls": { id: "a", pool: "eu", tls: true },
    "no target": { id: "a" },
    "a host alone": { id: "a", host: "h" },
    "a certificate without its key": { id: "a", host: "h", port: 1, tls: { cert: "c" } },
  })
) {
  Deno.test(`the JSON Schema and the check agree on a route with ${name}`, () => {
    agree({ routes: [fields], pools: { eu: { servers: [{ host: "a", port: 1 }] } } });
  });
}
