import { Tracing, tracing } from "../../lib/observe/tracing.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { commandLine } from "../e2e/processes.ts";
import { receiveAll, send } from "../bytes.ts";
import { configTo, startBalancer } from "../fixture.ts";
import { startEcho } from "../upstreams.ts";
import { until } from "../wait.ts";
import { encodeId } from "../../lib/frame/tlv.ts";

/** A tracer that keeps the calls of its spans. */
function recorder() {
  const spans: { name: string; calls: unknown[][] }[] = [];
  const startSpan = (name: string) => {
    const calls: unknown[][] = [];
    spans.push({ name, calls });
    return new Proxy({}, { get: (_, method) => (...args: unknown[]) => void calls.push([method, ...args]) });
  };
  // only what Tracing calls
  return { spans, tracer: { startSpan } as unknown as ConstructorParameters<typeof Tracing>[0] };
}

Deno.test("without OpenTelemetry in the environment there is no observer at all", () => {
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

for (const workers of [1, 2]) {
  Deno.test({
    name: `with OTEL_DENO spans of ${workers} workers reach a collector, under net and read alone`,
    // what the executable is built on may be a Deno without it
    ignore: Deno.env.has("SWITCHYARD_BIN"),
    fn: async () => {
      const bodies: string[] = [];
      await using collector = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen() {} },
        async (request) => {
          bodies.push(`${new globalThis.URL(request.url).pathname} ${await request.text()}`);
          return new Response("{}", { headers: { "content-type": "application/json" } });
        },
      );
      const [program = "", ...args] = commandLine(["demo"]);
      const env = {
        OTEL_DENO: "true",
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
        // as docs/observability.md has it
        OTEL_DENO_METRICS: "false",
      };
      await using upstream = startEcho();
      const serving = ["serve", "--route", `1=127.0.0.1:${upstream.port}`, "--listen", "127.0.0.1:0"];
      serving.push("--workers", String(workers));
      const child = new Deno.Command(program, {
        args: [...args.slice(0, -1), ...serving],
        env,
        stdout: "null",
        stderr: "piped",
      }).spawn();
      const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
      let log = "";
      let port: string | undefined;
      while ((port = /listening on 127\.0\.0\.1:(\d+)\b/.exec(log)?.[1]) === undefined) {
        const { value, done } = await reader.read();
        assert(!done, log);
        log += value;
      }
      {
        using client = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
        await send(client, encodeId("1"));
        await client.closeWrite();
        await receiveAll(client);
      }
      child.kill("SIGTERM");
      while (!(await reader.read()).done);
      await child.status;
      assertEquals(bodies.filter((body) => !body.startsWith("/v1/traces")), []);
      const traces = bodies.filter((body) => body.startsWith("/v1/traces")).join();
      assertMatch(traces, /"name": ?"connection"/);
      assertMatch(traces, /"name": ?"connected"/);
    },
  });
}
