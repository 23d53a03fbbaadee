import { AdminServer } from "../../lib/admin/server.ts";
import { encodeId } from "../../lib/frame/tlv.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../assert.ts";
import { receive, send } from "../bytes.ts";
import { configTo } from "../fixture.ts";
import { captureLog } from "../serving.ts";
import { startEcho } from "../upstreams.ts";
import { until } from "../wait.ts";
import { administer } from "./administered.ts";

/** Starts an admin API on a port of its own. */
async function startServer(config = configTo(9)) {
  const admin = administer(config);
  const server = await AdminServer.start({ address: { host: "127.0.0.1", port: 0 } }, admin.source);
  return {
    admin,
    server,
    url: `http://127.0.0.1:${server.address.port}`,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await admin[Symbol.asyncDispose]();
    },
  };
}

Deno.test("it closes at once, even with an open event stream and a request that is half sent", async () => {
  await using served = await startServer();
  const { port } = served.server.address;
  const events = await fetch(`${served.url}/api/v1/events`);
  using half = await Deno.connect({ hostname: "127.0.0.1", port });
  await half.write(new TextEncoder().encode("POST /api/v1/drain HTTP/1.1\r\nHost: local"));
  await served.server[Symbol.asyncDispose]();
  await events.text().catch(() => "the stream was cut");
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
});

Deno.test("the error for an address in use names it", async () => {
  await using admin = administer(configTo(9));
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = { host: "127.0.0.1", port: taken.addr.port };
  const error = await assertRejects(() => AdminServer.start({ address }, admin.source), Error);
  assertStringIncludes(error.message, `cannot serve the admin API on 127.0.0.1:${address.port}: `);
});

Deno.test("streams whose client has disconnected, and HEAD requests, do not count as streams", async () => {
  await using served = await startServer();
  const url = `${served.url}/api/v1/events`;
  for (let round = 0; round < 60; round++) {
    const response = await fetch(url, round % 2 === 0 ? { method: "HEAD" } : {});
    await response.body?.cancel();
    assertEquals(response.status, 200, `round ${round}`);
  }
});

Deno.test("the port for clients does not serve the admin API", async () => {
  await using served = await startServer();
  for (const path of ["/metrics", "/healthz", "/api/v1/status", "/"]) {
    const response = await fetch(`http://127.0.0.1:${served.admin.port}${path}`);
    const body = await response.text();
    assert(!response.ok && !body.includes("switchyard_"), `${path}: ${response.status} ${body}`);
  }
});

Deno.test("a foreign or invalid Host, as after DNS rebinding, is refused over the wire too", async () => {
  await using served = await startServer();
  using log = captureLog();
  const status = async (target: string, host: string) => {
    using client = await Deno.connect({ hostname: "127.0.0.1", port: served.server.address.port });
    const head = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    await client.write(new TextEncoder().encode(head));
    return new TextDecoder().decode(await receive(client, 12));
  };
  assertEquals(await status("/api/v1/connections", "evil.example.com"), "HTTP/1.1 403");
  assertEquals(await status("http://127.0.0.1/api/v1/connections", "evil.example.com"), "HTTP/1.1 403");
  for (
    const host of ["a b", "a:b:c", "127.0.0.1:99999", "[::1", "127.0.0.1#", "127.0.0.1/x?", "a@127.0.0.1"]
  ) {
    assertEquals(await status("/healthz", host), "HTTP/1.1 400", host);
  }
  assertEquals(log.lines("admin request failed"), []);
});

Deno.test("hostile IDs are plain text in every answer", async () => {
  await using upstream = startEcho();
  const routes = [{ match: "*", host: "127.0.0.1", port: upstream.port }];
  await using served = await startServer(configTo(9, { routes }));
  const ids = ["<img src=x onerror=alert(1)>", '"'.repeat(255), "\u202egnp.exe", "__proto__", "</script>"];
  const clients = await Promise.all(ids.map(async (id) => {
    const client = await served.admin.connect();
    await send(client, encodeId(id));
    await receive(client, 6);
    return client;
  }));
  const { connections } = await (await fetch(`${served.url}/api/v1/connections`)).json();
  assertEquals(connections.map(({ id }: { id: string }) => id).sort(), [...ids].sort());
  for (const id of ids) {
    const query = new URLSearchParams({ id });
    const explained = await (await fetch(`${served.url}/api/v1/explain?${query}`)).json();
    assertEquals([explained.id, explained.refused], [id, null]);
  }
  assertEquals(served.admin.balancer.active, ids.length);
  for (const client of clients) client.close();
  await until(() => served.admin.balancer.active === 0, "all have ended");
});
