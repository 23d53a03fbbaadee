import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { encodeId } from "../../lib/frame/tlv.ts";
import { Metrics, type MetricsSource } from "../../lib/observe/metrics.ts";
import { countOpen } from "../../lib/observe/open_counts.ts";
import { receiveAll, send } from "../bytes.ts";
import { configTo, startBalancer } from "../fixture.ts";
import { startEcho } from "../upstreams.ts";
import { until } from "../wait.ts";
import { connectionWith } from "./connection_info.ts";

type Balancer = ReturnType<typeof startBalancer>["balancer"];

const BUILD = { version: "1.2.3", deno: "2.9.6" };

function sourceOf(balancer: Balancer): MetricsSource {
  const { registry } = balancer.engine;
  return {
    threads: () => Promise.resolve([{ open: countOpen(registry), bytes: registry.bytes() }]),
    workers: () => ({ serving: 2, died: 1 }),
    routes: () => balancer.engine.snapshot.table.size,
    servers: () => [{ pool: "eu", key: "a.example.com:1", up: true }, {
      pool: "eu",
      key: "b.example.com:1",
      up: false,
    }],
  };
}

function startMeasured(port: number) {
  const running: { balancer?: Balancer } = {};
  const metrics = new Metrics(() => running.balancer && sourceOf(running.balancer), BUILD);
  const started = startBalancer(configTo(port), { observers: [metrics] });
  running.balancer = started.balancer;
  return { ...started, metrics, [Symbol.asyncDispose]: () => started.balancer.close() };
}

/** Series and their values. */
async function series(metrics: Metrics): Promise<Map<string, number>> {
  const lines = (await metrics.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const at = line.lastIndexOf(" ");
    return [line.slice(0, at), Number(line.slice(at + 1))];
  }));
}

Deno.test("metrics have the names and labels of the design, and begin at 0", async () => {
  await using measured = startMeasured(9);
  const found = await series(measured.metrics);
  const names = new Set(
    [...found.keys()].map((name) => name.replace(/_(bucket|sum|count)(\{.*)?$|\{.*/, "")),
  );
  assertEquals([...names].sort(), [
    "switchyard_build_info",
    "switchyard_config_last_reload_success_timestamp_seconds",
    "switchyard_config_reloads_total",
    "switchyard_connections_active",
    "switchyard_id_seconds",
    "switchyard_refused_total",
    "switchyard_relayed_bytes_total",
    "switchyard_routes",
    "switchyard_upstream_connect_seconds",
    "switchyard_upstream_up",
    "switchyard_worker_deaths_total",
    "switchyard_workers",
  ]);
  assertEquals(found.get('switchyard_build_info{version="1.2.3",deno="2.9.6"}'), 1);
  assertEquals(found.get('switchyard_refused_total{reason="unknown_id"}'), 0);
  assertEquals(found.get('switchyard_upstream_up{pool="eu",upstream="b.example.com:1"}'), 0);
  assertEquals(found.get("switchyard_routes"), 1);
  assertEquals([found.get("switchyard_workers"), found.get("switchyard_worker_deaths_total")], [2, 1]);
  const loaded = found.get("switchyard_config_last_reload_success_timestamp_seconds") ?? 0;
  assert(Math.abs(Date.now() / 1000 - loaded) < 60);
});

Deno.test("bytes and open connections are live, and closed connections stay counted", async () => {
  await using upstream = startEcho();
  await using measured = startMeasured(upstream.port);
  const { metrics, balancer } = measured;
  {
    using client = await measured.connectOver("websocket");
    await send(client, encodeId("1"));
    await until(() => balancer.engine.registry.bytes().down === 6, "it is echoed");
    const live = await series(metrics);
    assertEquals(live.get('switchyard_connections_active{transport="websocket"}'), 1);
    assertEquals(
      live.get(`switchyard_upstream_connections_active{upstream="127.0.0.1:${upstream.port}"}`),
      1,
    );
    assertEquals(live.get('switchyard_relayed_bytes_total{direction="up"}'), 6);
    await client.closeWrite();
    await receiveAll(client);
  }
  await until(() => balancer.active === 0, "it has ended");
  const after = await series(metrics);
  assertEquals(after.get('switchyard_connections_active{transport="websocket"}'), 0);
  assertEquals(
    after.has(`switchyard_upstream_connections_active{upstream="127.0.0.1:${upstream.port}"}`),
    false,
  );
  assertEquals(after.get('switchyard_relayed_bytes_total{direction="down"}'), 6);
  const [listener] = [...after.keys()].filter((name) => name.startsWith("switchyard_connections_total"));
  assertStringIncludes(listener ?? "", 'transport="websocket"');
  assertEquals([after.get(listener ?? ""), after.get("switchyard_id_seconds_count")], [1, 1]);
  assertEquals(after.get("switchyard_upstream_connect_seconds_count"), 1);
});

Deno.test("refusals and failed dials are counted by their reasons, reloads by their result", async () => {
  await using measured = startMeasured(1);
  for (const id of ["1", "nobody"]) {
    using client = await measured.connect();
    await send(client, encodeId(id));
    await receiveAll(client);
  }
  const { metrics, balancer } = measured;
  await until(() => balancer.active === 0, "both have ended");
  await balancer.reload(configTo(1));
  metrics.reloadFailed();
  const found = await series(metrics);
  assertEquals(found.get('switchyard_refused_total{reason="upstream_unavailable"}'), 1);
  assertEquals(found.get('switchyard_refused_total{reason="unknown_id"}'), 1);
  assertEquals(
    found.get('switchyard_upstream_connect_errors_total{upstream="127.0.0.1:1",reason="refused"}'),
    1,
  );
  assertEquals(found.get('switchyard_config_reloads_total{result="success"}'), 1);
  assertEquals(found.get('switchyard_config_reloads_total{result="failure"}'), 1);
  assertEquals(await metrics.refused().then(({ unknown_id }) => unknown_id), 1);
});

Deno.test("10,000 unknown IDs do not change the number of series", async () => {
  const metrics = new Metrics(() => undefined, BUILD);
  const end = (id: string) => {
    const connection = connectionWith({ id });
    metrics.identified(connection);
    metrics.closed(connection, { reason: "UNKNOWN_ID", closedBy: "balancer" });
  };
  end("first");
  const before = (await series(metrics)).size;
  for (let id = 0; id < 10_000; id++) end(`unknown ${id} "\n`);
  const after = await series(metrics);
  assertEquals(after.size, before);
  assertEquals(after.get('switchyard_refused_total{reason="unknown_id"}'), 10_001);
});

/** Its path in Debian's package prometheus, or on the PATH. */
const PROMTOOL = [Deno.env.get("PROMTOOL") ?? "promtool"].find((name) => {
  try {
    return new Deno.Command(name, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
});

Deno.test({
  name: "promtool finds nothing wrong with the metrics",
  ignore: PROMTOOL === undefined,
  async fn() {
    await using measured = startMeasured(1);
    using client = await measured.connect();
    await send(client, encodeId("1"));
    await receiveAll(client);
    const command = new Deno.Command(PROMTOOL ?? "", {
      args: ["check", "metrics"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    });
    await using child = command.spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(await measured.metrics.text()));
    await writer.close();
    const { success, stdout, stderr } = await child.output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assertEquals([success, said], [true, ""]);
  },
});
