import fc from "fast-check";
import { UsageError } from "../../lib/errors.ts";
import type { Config } from "../../lib/config/config.ts";
import { parseConfig } from "../../lib/config/parse.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "../assert.ts";
import { sized } from "../soak.ts";

const UPSTREAM = "host: a.example.com, port: 7";

const TIMEOUTS = {
  id: 5000,
  connect: 3000,
  idle: 3_600_000,
  half_close: 300_000,
  drain: 30_000,
  drain_spread: 0,
};

function parse(text: string): Config {
  return parseConfig(text, "routes.yaml");
}

/** The problems of `text`, without line and column. */
function problemsOf(text: string): readonly string[] {
  const { problems } = assertThrows(() => parse(text), UsageError);
  return problems.map((problem) => problem.replace(/^routes\.yaml:\d+:\d+/, "routes.yaml"));
}

function route(fields: string): string {
  return `routes: [{ ${fields} }]`;
}

Deno.test("only routes is required; all other fields have defaults", () => {
  assertEquals(parse("routes: []"), {
    admin: false,
    webhooks: [],
    listeners: [{ address: { host: "0.0.0.0", port: 8888 } }],
    routes: [],
    tables: [],
    pools: {},
    forward_id: true,
    proxy_protocol: false,
    dns_ttl: 30_000,
    workers: 1,
    timeouts: TIMEOUTS,
    limits: {
      id_bytes: 255,
      connections_per_ip: 0,
      connections_per_id: 0,
      connection_rate_per_ip: 0,
    },
    duplicate_id: "allow",
    deny: [],
    log: { level: "info", format: "text", access: true, id_privacy: "plain" },
  });
});

Deno.test("every field is read from the file", () => {
  const text = `
listeners: [{ address: ":0", tls: { cert: a.pem, key: /b.pem, certificates: [{ cert: c.pem, key: d.pem }], client_ca: e.pem, client_cert: optional }, proxy_protocol: { trusted: [10.0.0.0/8] } }, { address: "[::1]:9000" }]
admin: { address: 127.0.0.1:9090, token_file: token }
webhooks: [{ url: "http://127.0.0.1:9/hook", events: [connect], secret_file: secret }]
routes: [{ id: a, ${UPSTREAM}, tls: { ca: ca.pem, server_name: b.example.com, cert: f.pem, key: g.pem } }, { match: "eu-*", host: "::1", port: 65535, on_removal: drain }, { id: b, pool: eu, hold: { for: 1m, clients: 5, wake: "http://127.0.0.1:9/up" } }]
default: { host: 10.0.0.1, port: 1, tls: true }
pools:
  eu:
    strategy: round_robin
    servers: [{ host: a.example.com, port: 1, weight: 0 }, { host: "::1", port: 2, backup: true, tls: { ca: ca.pem } }]
    health_check: { interval: 1s, timeout: 2s, fall: 4, rise: 5, send: ping, expect: pong }
    max_fails: 0
    fail_duration: 1m
    slow_start: 30s
    max_connections: 6
  us: { servers: [{ host: b.example.com, port: 1 }], health_check: {} }
forward_id: false
proxy_protocol: v2
timeouts: { id: 250ms, connect: 1h, idle: 2h, half_close: 0, drain: 1m, drain_spread: 10s }
limits: { id_bytes: 65535, connections: 0, connections_per_ip: 5, connections_per_id: 6, connection_rate_per_ip: 7 }
workers: auto
duplicate_id: replace
dns_ttl: 0
allow: [10.0.0.0/8, "::1"]
deny: [10.1.2.3]
log: { level: debug, format: json, access: false }
`;
  assertEquals(parse(text), {
    admin: { address: { host: "127.0.0.1", port: 9090 }, token_file: "token" },
    webhooks: [{ url: "http://127.0.0.1:9/hook", events: ["connect"], secret_file: "secret" }],
    listeners: [
      {
        address: { host: "0.0.0.0", port: 0 },
        tls: {
          cert: "a.pem",
          key: "/b.pem",
          certificates: [{ cert: "c.pem", key: "d.pem" }],
          client_ca: "e.pem",
          client_cert: "optional",
        },
        proxy_protocol: { trusted: ["10.0.0.0/8"] },
      },
      { address: { host: "::1", port: 9000 } },
    ],
    routes: [
      {
        id: "a",
        host: "a.example.com",
        port: 7,
        tls: { ca: "ca.pem", server_name: "b.example.com", cert: "f.pem", key: "g.pem" },
      },
      { match: "eu-*", host: "::1", port: 65535, on_removal: "drain" },
      { id: "b", pool: "eu", hold: { for: 60_000, clients: 5, wake: "http://127.0.0.1:9/up" } },
    ],
    default: { host: "10.0.0.1", port: 1, tls: true },
    tables: [],
    pools: {
      eu: {
        strategy: "round_robin",
        servers: [
          { host: "a.example.com", port: 1, weight: 0, backup: false },
          { host: "::1", port: 2, weight: 1, backup: true, tls: { ca: "ca.pem" } },
        ],
        health_check: { interval: 1000, timeout: 2000, fall: 4, rise: 5, send: "ping", expect: "pong" },
        max_fails: 0,
        fail_duration: 60_000,
        slow_start: 30_000,
        max_connections: 6,
      },
      us: {
        strategy: "hash",
        servers: [{ host: "b.example.com", port: 1, weight: 1, backup: false }],
        health_check: { interval: 2000, timeout: 1000, fall: 3, rise: 2 },
        max_fails: 3,
        fail_duration: 10_000,
        slow_start: 0,
        max_connections: 0,
      },
    },
    forward_id: false,
    proxy_protocol: "v2",
    dns_ttl: 0,
    timeouts: {
      id: 250,
      connect: 3_600_000,
      idle: 7_200_000,
      half_close: 0,
      drain: 60_000,
      drain_spread: 10_000,
    },
    limits: {
      id_bytes: 65535,
      connections: 0,
      connections_per_ip: 5,
      connections_per_id: 6,
      connection_rate_per_ip: 7,
    },
    workers: "auto",
    duplicate_id: "replace",
    allow: ["10.0.0.0/8", "::1"],
    deny: ["10.1.2.3"],
    log: { level: "debug", format: "json", access: false, id_privacy: "plain" },
  });
});

Deno.test("a group with one field keeps the defaults of the others", () => {
  assertEquals(parse("routes: []\ntimeouts: { id: 1s }").timeouts, { ...TIMEOUTS, id: 1000 });
});

const ids: readonly [written: string, id: string][] = [
  ["1", "1"],
  ["'1'", "1"],
  ["0", "0"],
  ["-1", "-1"],
  ["9007199254740993", "9007199254740993"],
  ["123456789012345678901234567890", "123456789012345678901234567890"],
  ["'007'", "007"],
  ["'0x10'", "0x10"],
  ["'1e3'", "1e3"],
  ["'true'", "true"],
  ["'~'", "~"],
  ["'null'", "null"],
  ["'2020-01-01'", "2020-01-01"],
  ["__proto__", "__proto__"],
  ["constructor", "constructor"],
  ["naïve 🚉", "naïve 🚉"],
  ["'*'", "*"],
];
for (const [written, id] of ids) {
  Deno.test(`the ID written ${written} is the text "${id}"`, () => {
    assertEquals(parse(route(`id: ${written}, ${UPSTREAM}`)).routes[0]?.id, id);
  });
}

for (
  const written of [
    "007",
    "0x10",
    "0b1",
    "1e3",
    "1.0",
    "1_000",
    "+1",
    "-0",
    ".inf",
    ".nan",
    "~",
    "null",
    "Null",
    "true",
  ]
    .concat(["False", "2020-01-01"])
) {
  Deno.test(`the ID ${written}, which YAML would change, is refused with the advice to quote it`, () => {
    assertEquals(problemsOf(route(`id: ${written}, ${UPSTREAM}`)), [
      `routes.yaml: routes[0].id: found ${written}, expected an ID; YAML would change it, so write it in quotes: "${written}"`,
    ]);
  });
}

Deno.test("a glob is read in the same way as an ID", () => {
  assertEquals(parse(route(`match: 1, ${UPSTREAM}`)).routes[0]?.match, "1");
  assert(problemsOf(route(`match: 1e3, ${UPSTREAM}`))[0]?.endsWith('in quotes: "1e3"'));
});

const faults: readonly [name: string, text: string, problem: string][] = [
  [
    "an unknown field of websocket",
    'routes: []\nlisteners: [{ address: ":1", websocket: { pth: / } }]',
    'listeners[0].websocket.pth: unknown field; did you mean "path"?',
  ],
  [
    "websocket: true",
    'routes: []\nlisteners: [{ address: ":1", websocket: true }]',
    "listeners[0].websocket: found true, expected false, or a mapping such as { path: /, origins: [https://app.example.com] }",
  ],
  [
    "a path with a query",
    'routes: []\nlisteners: [{ address: ":1", websocket: { path: "/?a" } }]',
    'listeners[0].websocket.path: found "/?a", expected a path, such as / or /ws, without a query',
  ],
  [
    "an origin with a path",
    'routes: []\nlisteners: [{ address: ":1", websocket: { origins: ["https://a/"] } }]',
    'listeners[0].websocket.origins[0]: found "https://a/", expected an origin, such as https://app.example.com or http://localhost:8080, without a path',
  ],
  [
    "no origin at all",
    'routes: []\nlisteners: [{ address: ":1", websocket: { origins: [] } }]',
    "listeners[0].websocket.origins: found an empty list, expected at least one origin, or no field origins for any",
  ],
  ["no routes", "forward_id: true", "routes: missing, expected a list of routes"],
  ["routes left empty", "routes:", "routes: found nothing, expected a list of routes"],
  ["a list as the file", "[1]", "found a list, expected a mapping with the field routes"],
  ["text as the file", "hello", 'found "hello", expected a mapping with the field routes'],
  ["an empty file", "", "is empty; expected at least the field routes"],
  ["nothing but comments", "# routes:\n", "is empty; expected at least the field routes"],
  [
    "a port by name",
    route("id: a, host: h, port: http"),
    'routes[0].port: found "http", expected a port, 1 to 65535',
  ],
  ["port 0", route("id: a, host: h, port: 0"), "routes[0].port: found 0, expected a port, 1 to 65535"],
  [
    "port 65536",
    route("id: a, host: h, port: 65536"),
    "routes[0].port: found 65536, expected a port, 1 to 65535",
  ],
  [
    "a port in quotes",
    route("id: a, host: h, port: '7'"),
    'routes[0].port: found "7", expected a port, 1 to 65535',
  ],
  [
    "a hexadecimal port",
    route("id: a, host: h, port: 0x10"),
    "routes[0].port: found 0x10, expected a port, 1 to 65535",
  ],
  ["no port", route("id: a, host: h"), "routes[0].port: missing, expected a port, 1 to 65535"],
  [
    "a port within the host",
    route("id: a, host: 'h:1', port: 1"),
    'routes[0].host: found "h:1", expected a host name or IP address, without scheme, port or brackets',
  ],
  [
    "both id and match",
    route(`id: a, match: b, ${UPSTREAM}`),
    "routes[0]: found both id and match, expected one of them",
  ],
  ["neither id nor match", route(UPSTREAM), "routes[0]: found neither id nor match, expected one of them"],
  ["an ID left out", route(`id: , ${UPSTREAM}`), "routes[0].id: found nothing, expected an ID"],
  [
    "an empty ID",
    route(`id: "", ${UPSTREAM}`),
    'routes[0].id: found "", expected an ID of 1 to 255 bytes (limits.id_bytes), not of 0',
  ],
  [
    "an ID longer than allowed",
    `limits: { id_bytes: 3 }\n${route(`id: éé, ${UPSTREAM}`)}`,
    'routes[0].id: found "éé", expected an ID of 1 to 3 bytes (limits.id_bytes), not of 4',
  ],
  [
    "a control character in an ID, which cannot forge a line",
    route(`id: "a\\nb\\x85", ${UPSTREAM}`),
    'routes[0].id: found "a\\nb\\u0085", expected an ID without control characters and broken surrogates',
  ],
  [
    "an empty glob",
    route(`match: "", ${UPSTREAM}`),
    'routes[0].match: found "", expected a glob of printable text, such as eu-*',
  ],
  [
    "an ID that stands twice, as number and as text",
    `routes: [{ id: 1, ${UPSTREAM} }, { id: "1", ${UPSTREAM} }]`,
    'routes[1].id: found "1" again, expected an ID of its own; routes[0].id is the same',
  ],
  [
    "a glob that stands twice",
    `routes: [{ match: a*, ${UPSTREAM} }, { match: a*, ${UPSTREAM} }]`,
    'routes[1].match: found "a*" again, expected a glob of its own; routes[0].match is the same',
  ],
  [
    "an address that stands twice",
    'routes: []\nlisteners: [{ address: ":80" }, { address: "0.0.0.0:80" }]',
    'listeners[1].address: found "0.0.0.0:80" again, expected an address of its own; listeners[0].address is the same',
  ],
  [
    "a port as an address",
    "routes: []\nlisteners: [{ address: 8888 }]",
    "listeners[0].address: found 8888, expected an address, such as 0.0.0.0:8888, [::1]:9000 or :8888",
  ],
  [
    "no listener",
    "routes: []\nlisteners: []",
    "listeners: found an empty list, expected at least one listener, or no field listeners for 0.0.0.0:8888",
  ],
  [
    "a duration without a unit",
    "routes: []\ntimeouts: { id: 5 }",
    "timeouts.id: found 5, expected a duration with its unit, such as 250ms, 5s, 10m or 1h",
  ],
  [
    "a timeout of no time",
    "routes: []\ntimeouts: { connect: 0s }",
    'timeouts.connect: found "0s", expected a duration with its unit, such as 250ms, 5s, 10m or 1h',
  ],
  [
    "client_cert without client_ca",
    'routes: []\nlisteners: [{ address: ":0", tls: { cert: a, key: b, client_cert: optional } }]',
    "listeners[0].tls.client_cert: found without client_ca, expected both",
  ],
  [
    "a certificate for a server without its key",
    "routes: [{ id: 1, host: a, port: 1, tls: { cert: a.pem } }]",
    "routes[0].tls: found only one of cert and key, expected both or neither",
  ],
  [
    "a key for a server of a pool without its certificate",
    "routes: []\npools: { eu: { servers: [{ host: a, port: 1, tls: { key: a.pem } }] } }",
    "pools.eu.servers[0].tls: found only one of cert and key, expected both or neither",
  ],
  [
    "a longer spread than the drain it is part of",
    "routes: []\ntimeouts: { drain: 1s, drain_spread: 2s }",
    'timeouts.drain_spread: found "2s", expected at most timeouts.drain, "1s"',
  ],
  [
    "an idle time that YAML takes for no text",
    "routes: []\ntimeouts: { idle: true }",
    "timeouts.idle: found true, expected a duration with its unit, such as 250ms, 5s, 10m or 1h",
  ],
  [
    "an unknown way of removal",
    route(`id: 1, ${UPSTREAM}, on_removal: dran`),
    'routes[0].on_removal: found "dran", expected keep, drain or close; did you mean "drain"?',
  ],
  [
    "a flag that is no boolean in YAML",
    "routes: []\nforward_id: yes",
    'forward_id: found "yes", expected true or false',
  ],
  [
    "a level by another name",
    "routes: []\nlog: { level: eror }",
    'log.level: found "eror", expected debug, info, warning or error; did you mean "error"?',
  ],
  [
    "an unknown field near a known one",
    "routes: []\ntiemouts: {}",
    'tiemouts: unknown field; did you mean "timeouts"?',
  ],
  ["an unknown field near none", "routes: []\nzzzzzz: {}", "zzzzzz: unknown field"],
  [
    "an unknown field named as a member of every object",
    "routes: []\nconstructor: 1",
    "constructor: unknown field",
  ],
  [
    "an unknown field __proto__",
    route(`id: a, __proto__: {}, ${UPSTREAM}`),
    "routes[0].__proto__: unknown field",
  ],
  ["a merge key", "routes: []\n<<: {}", '"<<": unknown field'],
  [
    "a list where fields belong",
    "routes: []\ndefault: [h, 1]",
    "default: found a list, expected a mapping such as { host: n1.example.com, port: 7777 }",
  ],
];
for (const [name, text, problem] of faults) {
  Deno.test(`refused, with the value and the expected form: ${name}`, () => {
    assertEquals(problemsOf(text), [`routes.yaml: ${problem}`]);
  });
}

Deno.test("all problems are reported at once, one line each, in the order of the file", () => {
  const text = `
routes:
  - { id: 007, host: "", port: 0 }
  - { id: a, hots: h, port: 1 }
log: { level: loud }
workers: 0
`;
  const places = problemsOf(text).map((line) => line.split(": ")[1]);
  assertEquals(places, [
    "routes[0].id",
    "routes[0].host",
    "routes[0].port",
    "routes[1].host",
    "routes[1].hots",
    "log.level",
    "workers",
  ]);
});

for (const found of ["0", "-1", "257", "1.5", "x", "[]"]) {
  Deno.test(`workers: ${found} is an error that tells what is expected`, () => {
    const [problem] = problemsOf(`routes: []\nworkers: ${found}\n`);
    assertMatch(problem ?? "", /: workers: found .+, expected a number of threads, 1 to 256, or auto$/);
  });
}

Deno.test("the list of problems of a file that is wrong in every line is shortened", () => {
  const problems = problemsOf("routes:\n" + "  - x\n".repeat(5000));
  assertEquals(problems.length, 1001);
  assertEquals(problems.at(-1), "routes.yaml: and more problems");
});

Deno.test("the name of the file cannot forge a line", () => {
  const error = assertThrows(() => parseConfig("", "a\nb"), UsageError);
  assertEquals(error.problems, ["a\\u000ab: is empty; expected at least the field routes"]);
});

/** Text that a client can send as its ID. */
const idText = fc.string({ minLength: 1, maxLength: 60, unit: "grapheme" })
  .filter((text) =>
    !/\p{Cc}/u.test(text) && text.isWellFormed() && new TextEncoder().encode(text).length <= 255
  );

Deno.test("every quoted ID is used unchanged", () => {
  fc.assert(fc.property(idText, (id) => {
    assertEquals(parse(route(`id: ${JSON.stringify(id)}, ${UPSTREAM}`)).routes[0]?.id, id);
  }));
});

Deno.test("every canonical integer is used as its digits", () => {
  fc.assert(fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), (id) => {
    assertEquals(parse(route(`id: ${id}, ${UPSTREAM}`)).routes[0]?.id, String(id));
  }));
});

/** Plain words that YAML may read as something else. */
const word = fc.stringMatching(/^[0-9a-z+.~_-][0-9a-zA-Z+._-]{0,8}$/).filter((text) =>
  !/^(-|\.{3}|-{3})$/.test(text)
);

Deno.test("a plain word is either the ID as written or refused, never another ID", () => {
  fc.assert(fc.property(word, (text) => {
    const id = attempt(route(`id: ${text}, ${UPSTREAM}`))?.routes[0]?.id;
    assert(id === undefined || id === text);
  }));
});

const fragments = fc.constantFrom(
  ..."routes,id,match,host,port,listeners,address,timeouts,log,default,: ,\n,  ,- ,[,],{,},&a ,*a,1,007,~,'"
    .split(","),
  ...[
    '"',
    ",",
    "\t",
    "#",
    "!!int ",
    "|\n",
    "<<",
    "__proto__",
    "%",
    "---\n",
    "\u{feff}",
    "\r\n",
    "\0",
    "\ud800",
  ],
);

Deno.test("for any text the result is a configuration or a UsageError", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fragments, { maxLength: 40 }).map((parts) => parts.join("")),
  );
  fc.assert(fc.property(text, (input) => void attempt(input)), { numRuns: sized(5000, 0.03) });
});

function attempt(text: string): Config | undefined {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

Deno.test("an admin API that other machines can reach needs a token; the default is off", () => {
  assertEquals(parse("routes: []").admin, false);
  assertEquals(parse("routes: []\nadmin: false").admin, false);
  const admin = (fields: string) => `routes: []\nadmin: { ${fields} }`;
  for (const host of ["127.0.0.1", "localhost", "[::1]", "127.9.9.9"]) {
    parse(admin(`address: "${host}:9090"`));
  }
  assertEquals(problemsOf(admin("address: 0.0.0.0:9090")), [
    "routes.yaml: admin.token_file: missing, required since 0.0.0.0:9090 is not a loopback address",
  ]);
  assertEquals(parse(admin("address: 0.0.0.0:9090, token_file: token")).admin, {
    address: { host: "0.0.0.0", port: 9090 },
    token_file: "token",
  });
});

Deno.test("origins of the dashboard are written as browsers send them", () => {
  const admin = (origin: string) =>
    `routes: []\nadmin: { address: ":9090", token_file: t, origins: ["${origin}"] }`;
  const { admin: parsed } = parse(admin("HTTPS://Admin.example.com:443"));
  assertEquals(parsed && parsed.origins, ["https://admin.example.com"]);
  assertEquals(problemsOf(admin("null")), [
    'routes.yaml: admin.origins[0]: found "null", expected an origin of http or https, such as https://admin.example.com, without a path',
  ]);
});
