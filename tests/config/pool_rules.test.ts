import { UsageError } from "../../lib/errors.ts";
import { parseConfig } from "../../lib/config/parse.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const POOL = "pools: { eu: { servers: [{ host: a, port: 1 }] } }";

/** The problems of a configuration with these lines, without the file's name. */
function problemsOf(...lines: string[]): string[] {
  const error = assertThrows(() => parseConfig(lines.join("\n"), "f"), UsageError);
  return error.problems.map((line) => line.replace(/^f:\d+:\d+: /, ""));
}

const route = (fields: string) => `routes: [{ id: 1, ${fields} }]`;

const CASES: readonly (readonly [name: string, lines: readonly string[], problems: readonly string[]])[] = [
  ["a route to nowhere", [route("on_removal: keep")], [
    "routes[0].host: missing, expected a host name or IP address, without scheme, port or brackets",
    "routes[0].port: missing, expected a port, 1 to 65535",
  ]],
  ["a default without a port", ["routes: []", "default: { host: a }"], [
    "default.port: missing, expected a port, 1 to 65535",
  ]],
  ["a pool that is not there", [route("pool: e"), POOL], [
    'routes[0].pool: found "e", expected the name of a pool; did you mean "eu"?',
  ]],
  ["a pool where there is none", ["routes: []", "default: { pool: eu }"], [
    'default.pool: found "eu", expected a pool: there are none under pools',
  ]],
  ["a pool and a server", [route("pool: eu, host: a, port: 1"), POOL], [
    "routes[0].host: found beside pool, expected one of them; the servers of a pool have a host of their own",
    "routes[0].port: found beside pool, expected one of them; the servers of a pool have a port of their own",
  ]],
  ["a pool that is named like a prototype", [route("pool: constructor"), POOL], [
    'routes[0].pool: found "constructor", expected the name of a pool',
  ]],
  ["a pool without a server", ["routes: []", "pools: { eu: { servers: [] } }"], [
    "pools.eu.servers: found an empty list, expected at least one server",
  ]],
  ["a pool whose name is no name", ["routes: []", 'pools: { "a b": { servers: [{ host: a, port: 1 }] } }'], [
    'pools."a b": expected a name of 1 to 64 letters, digits, dots, hyphens and underscores',
  ]],
  ["a server twice", [
    "routes: []",
    "pools: { eu: { servers: [{ host: a, port: 1 }, { host: A, port: 1 }] } }",
  ], [
    'pools.eu.servers[1]: found "a:1" again, expected a server of its own; pools.eu.servers[0] is the same',
  ]],
  ["a weight below 0", ["routes: []", "pools: { eu: { servers: [{ host: a, port: 1, weight: -1 }] } }"], [
    "pools.eu.servers[0].weight: found -1, expected a weight, 0 to 1000; 0 drains the server",
  ]],
  [
    "an unknown strategy",
    ["routes: []", "pools: { eu: { strategy: has, servers: [{ host: a, port: 1 }] } }"],
    [
      'pools.eu.strategy: found "has", expected hash, round_robin, least_connections or random; did you mean "hash"?',
    ],
  ],
  ["an unknown field of a pool", [
    "routes: []",
    "pools: { eu: { server: [], servers: [{ host: a, port: 1 }] } }",
  ], [
    'pools.eu.server: unknown field; did you mean "servers"?',
  ]],
  ["pools that are a list", ["routes: []", "pools: []"], [
    "pools: found an empty list, expected a mapping of names to pools",
  ]],
  ["both send and id", [
    "routes: []",
    "pools: { eu: { servers: [{ host: a, port: 1 }], health_check: { send: x, id: y } } }",
  ], ["pools.eu.health_check: found both send and id, expected one of them"]],
  ["a Unix socket", [route("host: unix:/run/app.sock, port: 1")], [
    'routes[0].host: found "unix:/run/app.sock", expected a host name or IP address, without scheme, port or ' +
    "brackets; Unix sockets need Deno's --allow-write, and Switchyard runs without it",
  ]],
  ["a webhook that is no URL", [route("pool: eu, hold: { wake: here }"), POOL], [
    'routes[0].hold.wake: found "here", expected a URL, such as http://127.0.0.1:8080/wake or https://example.com/wake',
  ]],
];

for (const [name, lines, problems] of CASES) {
  Deno.test(`${name} is refused`, () => assertEquals(problemsOf(...lines), [...problems]));
}

Deno.test("a pool's name may be written as an integer", () => {
  const config = parseConfig(`${route("pool: 1")}\npools: { 1: { servers: [{ host: a, port: 1 }] } }`, "f");
  assertEquals(config.routes, [{ id: "1", pool: "1" }]);
});
