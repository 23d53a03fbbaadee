import { Tracing, tracing } from "../../lib/observe/tracing.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { receiveAll, send } from "../bytes.ts";
import { configTo, startBalancer } from "../fixture.ts";
import { serve } from "../serving.ts";
import { startEcho } from "../upstreams.ts";
import { until } from "../wait.ts";
import { encodeId } from "../../lib/frame/tlv.ts";

/** A tracer that records the calls of its spans. */
function recorder() {
  const spans: { name: string; calls: unknown[][] }[] = [];
  const startSpan = (name: string) => {
    const calls: unknown[][] = [];
    spans.push({ name, calls });
    return new Proxy({}, { get: (_, method) => (...args: unknown[]) => void calls.push([method, ...args]) });
  };
  // only the methods that Tracing calls
  return { spans, tracer: { startSpan } as unknown as ConstructorParameters<typeof Tracing>[0] };
}

Deno.test("without OpenTelemetry in the environment there is no observer", () => {
  assertEquals(tracing("1.2.3"), undefined);
});

Deno.test("a connection is one span, with an event for each stage and no ID", async () => {
  const { spans, tracer } = recorder();
  await using upstream = startEcho();
  await using balancer = startBalancer(configTo(upstream.port), { observers: [new Tracing(tracer)] });
  for (const id of ["1", "nobody"]) {
    using client = await balancer.connect();
    await send(client, encodeId(id));
    await client.closeWrite();
    await receiveAll(client);
    await until(() => balancer.balancer.active === 0, "it has ended");
  }
  const eventsOf = (index: number) =>
    spans[index]?.calls.map(([method, name]) => method === "addEvent" ? name : method);
  assertEquals(eventsOf(0), ["id", "dial", "connected", "first byte", "setAttributes", "end"]);
  assertEquals(eventsOf(1), ["id", "setAttributes", "setStatus", "end"]);
  assertStringIncludes(JSON.stringify(spans[0]), '"switchyard.bytes_up":6');
  assertEquals(JSON.stringify(spans).includes("nobody"), false);
});

Deno.test("the span has the client that a trusted proxy names", async () => {
  const { spans, tracer } = recorder();
  const listeners = [{
    address: { host: "127.0.0.1", port: 0 },
    proxy_protocol: { trusted: ["127.0.0.1/32"] },
  }];
  await using balancer = startBalancer(configTo(9, { listeners }), { observers: [new Tracing(tracer)] });
  using client = await balancer.connect();
  await send(client, new TextEncoder().encode("PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n"));
  await send(client, encodeId("nobody"));
  await client.closeWrite();
  await receiveAll(client);
  await until(() => balancer.balancer.active === 0, "it has ended");
  assertStringIncludes(JSON.stringify(spans), '"client.address":"192.0.2.7","client.port":4711');
});

/** A collector of spans (OTLP over HTTP, in JSON). */
function startCollector() {
  const requests: { path: string; body: string }[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    requests.push({ path: new globalThis.URL(request.url).pathname, body: await request.text() });
    return new Response("{}", { headers: { "content-type": "application/json" } });
  });
  return {
    requests,
    /** What the environment of a traced process has. */
    settings: [
      "OTEL_EXPORTER_OTLP_PROTOCOL=http/json",
      `OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:${server.addr.port}`,
      // as docs/observability.md has it
      "OTEL_DENO_METRICS=false",
    ],
    spans: () => requests.flatMap(({ body }) => spansIn(JSON.parse(body))),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

interface Collected {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

interface Span {
  readonly name: string;
  readonly kind: number;
  readonly events?: readonly { readonly name: string }[];
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
}

function spansIn({ resourceSpans }: Collected): readonly Span[] {
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}

/** The events of a connection's span, its status, and why it ended. */
function summaryOf({ kind, events = [], status = {}, attributes }: Span) {
  const find = (name: string) =>
    attributes.find(({ key }) => key === `switchyard.${name}`)?.value.stringValue;
  return [
    kind,
    events.map(({ name }) => name).join(", "),
    status.code ?? 0,
    status.message ?? "",
    `${find("reason")} by ${find("closed_by")}`,
  ];
}

/** Clients of a balancer in a process of its own, whose environment has `settings`: one is relayed, two are refused. */
async function serveTraced(settings: readonly string[], workers: number): Promise<void> {
  await using upstream = startEcho();
  const routes = `routes:
  - { id: 1, host: 127.0.0.1, port: ${upstream.port} }
  - { id: closed, host: 127.0.0.1, port: 9 }
`;
  const place = { command: ["env", ...settings] };
  await using serving = await serve(routes, { place, flags: ["--workers", String(workers)] });
  for (const id of ["1", "closed", "nobody"]) {
    using client = await serving.connect();
    await send(client, encodeId(id));
    await client.closeWrite();
    await receiveAll(client);
  }
  assertEquals(await serving.balancer.end(), 0);
}

/** An executable may be built on a Deno without OpenTelemetry. */
const ignore = Deno.env.has("SWITCHYARD_BIN");

for (const workers of [1, 2]) {
  Deno.test({
    name: `with OTEL_DENO spans of ${workers} workers reach a collector, under net and read alone`,
    ignore,
    fn: async () => {
      await using collector = startCollector();
      await serveTraced(["OTEL_DENO=true", ...collector.settings], workers);
      assertEquals(collector.requests.filter(({ path }) => path !== "/v1/traces"), []);
      const [server, error] = [2, 2];
      assertEquals(
        collector.spans().filter(({ name }) => name === "connection").map(summaryOf).sort(),
        [
          [server, "id", error, "UNKNOWN_ID", "UNKNOWN_ID by balancer"],
          [
            server,
            "id, dial, connected, first byte",
            0,
            "",
            "client_fin by client",
          ],
          [
            server,
            "id, dial, dial failed",
            error,
            "UPSTREAM_UNAVAILABLE",
            "UPSTREAM_UNAVAILABLE by balancer",
          ],
        ].sort(),
      );
      assert(!JSON.stringify(collector.requests).includes("nobody"), "a span has an ID");
    },
  });
}

Deno.test({
  name: "without OTEL_DENO nothing reaches a collector, whatever else the environment has",
  ignore,
  fn: async () => {
    await using collector = startCollector();
    await serveTraced(collector.settings, 1);
    assertEquals(collector.requests, []);
  },
});
