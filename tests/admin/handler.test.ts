import { Ajv } from "ajv";
import { ALL } from "../../lib/admin/handler.ts";
import { receiveAll } from "../bytes.ts";
import { configTo } from "../fixture.ts";
import { redisConfig } from "../redis.ts";
import { startEcho } from "../upstreams.ts";
import { until } from "../wait.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { administer } from "./administered.ts";

const EU = {
  strategy: "hash",
  servers: [
    { host: "127.0.0.1", port: 1, weight: 2, backup: false },
    { host: "127.0.0.1", port: 2, weight: 1, backup: true },
    { host: "127.0.0.1", port: 3, weight: 0, backup: false },
  ],
  max_fails: 3,
  fail_duration: 10_000,
  slow_start: 0,
  max_connections: 5,
} as const;

Deno.test("a running balancer is alive and ready; a draining one is only alive", async () => {
  await using upstream = startEcho();
  await using admin = administer(configTo(upstream.port));
  using client = await admin.relayed("1");
  assertEquals((await admin.ask("/healthz")).status, 200);
  const ready = await admin.ask("/readyz");
  assertEquals([ready.status, await ready.text()], [200, "ready\n"]);
  const asked = await admin.ask("/api/v1/drain", { method: "POST" });
  assertEquals([asked.status, await asked.json()], [202, { draining: true, connections_active: 1 }]);
  assertEquals((await admin.ask("/readyz")).status, 503);
  assertEquals((await admin.ask("/healthz")).status, 200);
  await client.closeWrite();
  await receiveAll(client);
});

Deno.test("a balancer whose workers have all died is not ready", async () => {
  await using admin = administer(configTo(9));
  const { engine } = admin.balancer;
  const { measured } = engine;
  Object.defineProperty(engine, "measured", {
    value: { ...measured, workers: () => ({ serving: 0, died: 2 }) },
  });
  const ready = await admin.ask("/readyz");
  assertEquals([ready.status, await ready.text()], [503, "not ready\nno worker accepts connections\n"]);
});

Deno.test("HEAD is GET without a body, and opens no stream", async () => {
  await using admin = administer(configTo(9));
  for (const path of ["/healthz", "/api/v1/status", "/api/v1/events"]) {
    const response = await admin.ask(path, { method: "HEAD" });
    assertEquals([response.status, response.body], [200, null]);
  }
  assertEquals(admin.feed.streams, 0);
});

Deno.test("metrics come in Prometheus's format", async () => {
  await using admin = administer(configTo(9));
  const response = await admin.ask("/metrics");
  assertMatch(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  assertStringIncludes(await response.text(), 'switchyard_build_info{version="1.2.3",deno="2.9.6"} 1\n');
});

Deno.test("the status has totals, and refusals by reason", async () => {
  await using upstream = startEcho();
  await using admin = administer(configTo(upstream.port));
  using _client = await admin.relayed("1");
  const status = await admin.json("/api/v1/status");
  assertEquals([status.version, status.routes, status.draining], ["1.2.3", 1, false]);
  assertEquals([status.connections_active, status.connections_total], [1, 1]);
  assertEquals([status.bytes_up, status.refused.unknown_id], [6, 0]);
  assertEquals(status.listeners, [`127.0.0.1:${admin.port}`]);
});

Deno.test("connections are listed in pages and found by ID, upstream, address and text", async () => {
  await using upstream = startEcho();
  const routes = [{ match: "*", host: "127.0.0.1", port: upstream.port }];
  await using admin = administer(configTo(9, { routes }));
  const clients = [];
  for (const id of ["a", "b", "a", "<img src=x>"]) clients.push(await admin.relayed(id));
  const numbers = async (query: string) => {
    const { connections, next } = await admin.json(`/api/v1/connections?${query}`);
    return [connections.map(({ conn }: { conn: number }) => conn), next];
  };
  assertEquals(await numbers("limit=3"), [[1, 2, 3], 3]);
  assertEquals(await numbers("limit=3&after=3"), [[4], null]);
  assertEquals(await numbers("id=a"), [[1, 3], null]);
  assertEquals(await numbers(`upstream=127.0.0.1:${upstream.port}&limit=1`), [[1], 1]);
  assertEquals(await numbers("upstream=127.0.0.1:1"), [[], null]);
  assertEquals(await numbers("address=127.0.0.0/8&search=img"), [[4], null]);
  assertEquals(await numbers("address=192.0.2.1"), [[], null]);
  assertEquals(await numbers("sort=bytes&limit=2"), [[4, 1], null]);
  assertEquals(await numbers("sort=id"), [[4, 1, 3, 2], null]);
  const { connections: [first] } = await admin.json("/api/v1/connections?limit=1");
  assertEquals([first.id, first.route, first.state, first.bytes_up], ["a", "match *", "relaying", 6]);
  for (const client of clients) client.close();
});

Deno.test("pages have each connection once, while others come and go", async () => {
  await using upstream = startEcho();
  const routes = [{ match: "*", host: "127.0.0.1", port: upstream.port }];
  await using admin = administer(configTo(9, { routes }));
  const clients = new Map<number, Disposable>();
  for (let conn = 1; conn <= 7; conn++) clients.set(conn, await admin.relayed(`id-${conn}`));
  const seen: number[] = [];
  for (let after: number | null = 0; after !== null;) {
    const { connections, next }: { connections: { conn: number }[]; next: number | null } = await admin.json(
      `/api/v1/connections?limit=2&after=${after}`,
    );
    seen.push(...connections.map(({ conn }) => conn));
    after = next;
    // the last row of this page goes, and at first another connection comes
    const last = connections.at(-1)?.conn ?? 0;
    clients.get(last)?.[Symbol.dispose]();
    await until(() => admin.balancer.engine.registry.get(last) === undefined, "it has ended");
    if (last === 2) clients.set(8, await admin.relayed("id-8"));
  }
  assertEquals(seen, [1, 2, 3, 4, 5, 6, 7, 8]);
  for (const client of clients.values()) client[Symbol.dispose]();
});

Deno.test("connections are closed by number or by ID, with the reason kicked in the log", async () => {
  await using upstream = startEcho();
  const routes = [{ match: "*", host: "127.0.0.1", port: upstream.port }];
  await using admin = administer(configTo(9, { routes }));
  const clients = [];
  for (const id of ["a", "b", "a"]) clients.push(await admin.relayed(id));
  const kick = (path: string) => admin.ask(`/api/v1/connections${path}`, { method: "DELETE" });
  assertEquals(await (await kick("/2")).json(), { closed: 1 });
  assertEquals((await kick("/2?id=a")).status, 404);
  assertEquals((await kick("/1?id=b")).status, 404);
  assertEquals(await (await kick("?id=a")).json(), { closed: 2 });
  await until(() => admin.balancer.active === 0, "all have ended");
  const gone = await kick("?id=a");
  assertEquals([gone.status, await gone.json()], [404, { error: 'no open connection with ID "a"' }]);
  assertEquals((await kick("")).status, 400);
  for (const client of clients) client.close();
});

Deno.test("routes are listed in pages and searched", async () => {
  const routes = [1, 2, 3].map((id) => ({ id: `n${id}`, host: "127.0.0.1", port: id }));
  await using admin = administer(configTo(9, { routes, default: { host: "127.0.0.1", port: 4 } }));
  const first = await admin.json("/api/v1/routes?limit=2");
  assertEquals(first.routes.map(({ rule }: { rule: string }) => rule), ["id n1", "id n2"]);
  const last = await admin.json(`/api/v1/routes?limit=2&after=${first.next}`);
  assertEquals([last.routes.length, last.next, last.total], [2, null, 4]);
  const found = await admin.json("/api/v1/routes?search=n3");
  assertEquals(found.routes.map(({ target }: { target: string }) => target), ["127.0.0.1:3"]);
});

Deno.test("pools have their servers, with health and weight", async () => {
  await using admin = administer(configTo(9, { pools: { eu: EU }, routes: [{ match: "*", pool: "eu" }] }));
  const { pools: [eu] } = await admin.json("/api/v1/pools");
  assertEquals([eu.name, eu.strategy, eu.servers.length], ["eu", "hash", 3]);
  assertEquals(eu.servers.map(({ state }: { state: string }) => state), ["up", "up", "drained"]);
  const explained = await admin.json("/api/v1/explain?id=x&from=192.0.2.7");
  assertEquals(explained.refused, null);
  assertEquals(explained.candidates.map(({ tried }: { tried: boolean }) => tried), [true, true, false]);
  assertStringIncludes(explained.candidates[1].why, "backup");
  assertEquals(explained.from.checks[0], "allowed: no entry denies it");
});

Deno.test("explain gives the reason why an ID or an address is refused", async () => {
  const limits = { connections_per_ip: 1, id_bytes: 3, connection_rate_per_ip: 5 };
  await using upstream = startEcho();
  await using admin = administer(configTo(upstream.port, { limits, deny: ["192.0.2.0/24"] }));
  using _client = await admin.relayed("1");
  const reason = async (query: string) => (await admin.json(`/api/v1/explain?${query}`)).refused?.reason;
  assertEquals(await reason("id=2"), "UNKNOWN_ID");
  assertEquals(await reason("id=long"), "BAD_FRAME");
  assertEquals(await reason("id=1&from=192.0.2.9"), "FORBIDDEN");
  assertEquals(await reason("id=1&from=127.0.0.1"), "LIMIT_EXCEEDED");
  assertEquals(await reason("id=1&from=10.0.0.1"), undefined);
  const { from } = await admin.json("/api/v1/explain?id=1&from=10.0.0.1");
  assertMatch(from.checks.at(-1), /^connection_rate_per_ip: at most 5 a second; not checked/);
  assertEquals((await admin.ask("/api/v1/explain?id=1&from=10.0.0.0/8")).status, 400);
});

Deno.test("explain reports a refusal if no server of the pool can be tried", async () => {
  await using upstream = startEcho();
  const explained = async (weight: number) => {
    const server = { host: "127.0.0.1", port: upstream.port, weight, backup: false };
    const more = { max_fails: 3, fail_duration: 10_000, slow_start: 0, max_connections: 1 };
    const pools = { eu: { strategy: "hash" as const, servers: [server], ...more } };
    await using admin = administer(configTo(9, { routes: [{ id: "1", pool: "eu" }], pools }));
    const reason = async () => (await admin.json("/api/v1/explain?id=1")).refused?.reason;
    const before = await reason();
    if (weight === 0) return [before];
    using _client = await admin.relayed("1");
    return [before, await reason()];
  };
  assertEquals(await explained(1), [undefined, "LIMIT_EXCEEDED"]);
  assertEquals(await explained(0), ["UPSTREAM_UNAVAILABLE"]);
});

Deno.test("explain counts on the place of a client that has sent no ID, as a new connection does", async () => {
  await using upstream = startEcho();
  await using admin = administer(configTo(upstream.port, { limits: { connections: 1 } }));
  const explained = () => admin.json("/api/v1/explain?id=1&from=192.0.2.7");
  using _silent = await admin.connect();
  await until(() => admin.balancer.active === 1, "it is accepted");
  const { refused, from } = await explained();
  assertEquals(refused, null);
  assertMatch(from.checks[1], /^connections: 1 of 1; one that has sent no ID would be closed for this one$/);
  using _client = await admin.relayed("1");
  assertEquals((await explained()).refused.reason, "LIMIT_EXCEEDED");
});

Deno.test("explain reports that a draining balancer refuses every client", async () => {
  await using upstream = startEcho();
  await using admin = administer(configTo(upstream.port));
  using client = await admin.relayed("1");
  await (await admin.ask("/api/v1/drain", { method: "POST" })).body?.cancel();
  const { refused } = await admin.json("/api/v1/explain?id=1&from=127.0.0.1");
  assertEquals(refused, { reason: "SHUTTING_DOWN", why: "the balancer is draining" });
  await client.closeWrite();
  await receiveAll(client);
});

Deno.test("explain does not make a backup wait for servers that are down", async () => {
  const servers = [
    { host: "127.0.0.1", port: 1, weight: 1, backup: false },
    { host: "127.0.0.1", port: 2, weight: 1, backup: true },
  ];
  const pools = { eu: { ...EU, max_fails: 1, servers } };
  await using admin = administer(configTo(9, { routes: [{ id: "1", pool: "eu" }], pools }));
  const whys = async () => {
    const { candidates } = await admin.json("/api/v1/explain?id=1");
    return candidates.map(({ tried, why }: { tried: boolean; why: string }) => [tried, why]);
  };
  assertEquals((await whys())[1], [true, "backup: tried once no other server can be reached"]);
  admin.balancer.engine.snapshot.pools.get("eu")?.servers[0]?.record.dialed(new Error("refused"));
  assertEquals(await whys(), [[true, "backup: no other server is up"], [false, "unhealthy: ejected"]]);
});

Deno.test("a reload answers with the changes, every problem, or that there is nothing to reload", async () => {
  const reload = async (outcome?: Parameters<typeof administer>[1]) => {
    await using admin = administer(configTo(9), outcome);
    const response = await admin.ask("/api/v1/reload", { method: "POST" });
    return [response.status, await response.json()];
  };
  assertEquals(await reload(), [200, { added: 1, changed: 0, removed: 0, connections: 0 }]);
  const problems = ["routes.yaml:1:1: routes: missing", "other"];
  const [status, body] = await reload({ outcome: { ok: false, problems } });
  assertEquals([status, body.problems], [422, problems]);
  assertEquals((await reload({ outcome: undefined }))[0], 409);
});

Deno.test("the OpenAPI document has every endpoint, and every endpoint answers", async () => {
  await using admin = administer(configTo(9));
  const { openapi, paths } = await admin.json("/api/v1/openapi.json");
  assertEquals(openapi, "3.1.0");
  const documented = Object.entries<Record<string, unknown>>(paths)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
  assertEquals(documented, ALL.map(({ method, path }) => `${method} ${path}`));
  for (const { method, path } of ALL) {
    if (path.endsWith("/drain")) continue;
    const response = await admin.ask(path.replace("{conn}", "99"), { method });
    await response.body?.cancel();
    const { responses, parameters } = paths[path][method.toLowerCase()];
    assert(String(response.status) in responses, `${method} ${path} gave ${response.status}`);
    assert(parameters.every(({ name }: { name: string }) => !path.includes(`{${name}`) || name === "conn"));
  }
});

/** Every property of `value`, at any depth, that `schema` does not have. */
function undocumented(value: unknown, schema: JsonSchema, path = ""): string[] {
  const one = schema.anyOf?.find(({ type }) => type !== "null") ?? schema;
  if (Array.isArray(value)) return value.flatMap((item) => undocumented(item, one.items ?? {}, `${path}[]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const property = one.properties?.[name];
    return property ? undocumented(inner, property, `${path}.${name}`) : [`${path}.${name}`];
  });
}

/** The used part of a JSON Schema. */
interface JsonSchema {
  readonly type?: string;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

Deno.test("the OpenAPI document has the schema of each answer, with every field of it", async () => {
  await using upstream = startEcho();
  const redis = redisConfig('url: "redis://127.0.0.1:1"');
  const routes = [{ match: "*", pool: "eu" }, { id: "1", host: "127.0.0.1", port: upstream.port }];
  await using admin = administer(configTo(9, { pools: { eu: EU }, routes, redis }));
  const { paths } = await admin.json("/api/v1/openapi.json");
  const ajv = new Ajv({ validateFormats: false });
  const checked = async (path: string, query = "", method = "GET") => {
    const response = await admin.ask(path.replace("{conn}", "1") + query, { method });
    const answer = await response.json();
    const { schema } =
      paths[path][method.toLowerCase()].responses[response.status].content["application/json"];
    assert(
      ajv.validate(schema, answer),
      `${method} ${path}: ${ajv.errorsText()} in ${JSON.stringify(answer)}`,
    );
    assertEquals(undocumented(answer, schema), [], path);
  };
  using _one = await admin.relayed("1");
  using _silent = await admin.connect();
  await checked("/api/v1/status");
  await checked("/api/v1/routes", "?limit=1");
  await checked("/api/v1/connections", "?limit=1");
  await checked("/api/v1/connections", "?sort=id");
  await checked("/api/v1/pools");
  await checked("/api/v1/explain", "?id=x&from=127.0.0.1");
  await checked("/api/v1/explain", "?id=1");
  await checked("/api/v1/reload", "", "POST");
  await checked("/api/v1/connections/{conn}", "", "DELETE");
  await checked("/api/v1/drain", "", "POST");
});

Deno.test("a method that is not allowed is answered with those that are", async () => {
  await using admin = administer(configTo(9));
  const allowed = async (path: string, method: string) => {
    const response = await admin.ask(path, { method });
    await response.body?.cancel();
    return [response.status, response.headers.get("allow")];
  };
  assertEquals(await allowed("/api/v1/connections", "OPTIONS"), [405, "GET, HEAD, DELETE"]);
  assertEquals(await allowed("/api/v1/reload", "GET"), [405, "POST"]);
});

for (
  const [path, status, message] of [
    ["/nothing", 404, /openapi/],
    ["/api/v1/connections?limit=0", 400, /limit: "0" is not a whole number, 1 to 1000/],
    ["/api/v1/connections?sort=size", 400, /age, bytes, id/],
    ["/api/v1/connections?adress=x", 400, /did you mean address/],
    ["/api/v1/connections?address=x", 400, /"x" is not an IP address/],
    ["/api/v1/connections?id=a&id=b", 400, /more than once/],
    ["/api/v1/connections?id=%ff", 400, /UTF-8/],
    ["/api/v1/connections?search=100%", 400, /write % as %25/],
    ["/api/v1/reload", 405, /POST/],
    ["/dashboard/../handler.ts", 404, /no such path/],
    ["/dashboard/none.js", 404, /no such file/],
  ] as const
) {
  Deno.test(`GET ${path} is answered with ${status} and the reason`, async () => {
    await using admin = administer(configTo(9));
    const response = await admin.ask(path);
    assertEquals(response.status, status);
    assertMatch((await response.json()).error, message);
  });
}
