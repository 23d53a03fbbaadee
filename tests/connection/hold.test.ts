import { assertEquals, assertGreaterOrEqual } from "../assert.ts";
import { configTo, startBalancer } from "../fixture.ts";
import { startEcho } from "../upstreams.ts";
import { until } from "../wait.ts";
import { identify, refused } from "../pools.ts";

const UPSTREAM_UNAVAILABLE = 5;

/** A port on which nothing listens. */
function deadPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A configuration whose one route holds its clients, and the number of its held clients that have dialed. */
function holding(port: number, hold: { for: number; clients: number; wake?: string }) {
  return configTo(9, { routes: [{ id: "1", host: "127.0.0.1", port, hold }] });
}

Deno.test("held clients get through once their server is there, and its webhook was called once", async () => {
  const port = deadPort();
  const calls: unknown[] = [];
  await using webhook = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    calls.push(await request.json());
    return new Response();
  });
  const wake = `http://127.0.0.1:${(webhook.addr as Deno.NetAddr).port}/wake`;
  await using balancer = startBalancer(holding(port, { for: 60_000, clients: 10, wake }));
  const clients = await Promise.all(Array.from({ length: 5 }, () => balancer.connect()));
  const served = Promise.all(clients.map((client) => identify(client)));
  await until(() => calls.length === 1, "the webhook is called");
  await using _echo = startEcho(port);
  await served;
  assertEquals(calls, [{ route: "id 1", upstream: `127.0.0.1:${port}`, id: "1" }]);
  for (const client of clients) client.close();
});

Deno.test("a client that has been held for long enough is refused, and so is one too many", async () => {
  await using balancer = startBalancer(holding(deadPort(), { for: 700, clients: 1 }));
  using first = await balancer.connect();
  const started = performance.now();
  const held = refused(first);
  using second = await balancer.connect();
  assertEquals([await refused(second), await held], [UPSTREAM_UNAVAILABLE, UPSTREAM_UNAVAILABLE]);
  assertGreaterOrEqual(performance.now() - started, 699);
});

Deno.test("closing the balancer waits for no held client", async () => {
  const balancer = startBalancer(holding(deadPort(), { for: 3_600_000, clients: 1 }));
  using client = await balancer.connect();
  const ended = refused(client).catch(() => "ended");
  await until(() => balancer.balancer.active === 1, "the client is there");
  await new Promise((resolve) => setTimeout(resolve, 100));
  await balancer.balancer.close();
  await ended;
});

Deno.test("a held client whose connection is terminated gives its place back", async () => {
  await using balancer = startBalancer(holding(deadPort(), { for: 3_600_000, clients: 1 }));
  const { engine } = balancer.balancer;
  for (let round = 0; round < 2; round++) {
    using client = await balancer.connect();
    const ended = refused(client).catch(() => "ended");
    await until(() => engine.snapshot.hold.held === 1, "the client is held");
    await engine.terminate({ id: "1" }, { reason: "kicked", closedBy: "balancer" });
    await until(() => balancer.balancer.active === 0, "its connection ends");
    assertEquals(engine.snapshot.hold.held, 0);
    await ended;
  }
});
