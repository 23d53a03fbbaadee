import { connect } from "node:net";
import { encodeId } from "../../lib/frame/tlv.ts";
import { assertEquals, assertGreaterOrEqual } from "../assert.ts";
import { configTo, startBalancer } from "../fixture.ts";
import { startEcho } from "../upstreams.ts";
import { until } from "../wait.ts";
import { identify, refused } from "../clients.ts";

const UPSTREAM_UNAVAILABLE = 5;

/** A balancer whose only server refuses until it is started, and the clients that it holds. */
function holding(hold: { for: number; clients: number; wake?: string }) {
  const echo = startEcho();
  let isUp = false;
  const route = { id: "1", host: "127.0.0.1", port: echo.port, hold };
  const balancer = startBalancer(configTo(9, { routes: [route] }), {
    connect: (options) =>
      isUp ? Deno.connect(options) : Promise.reject(new Deno.errors.ConnectionRefused("down")),
  });
  const { engine } = balancer.balancer;
  return {
    ...balancer,
    engine,
    upstream: `127.0.0.1:${echo.port}`,
    start: () => void (isUp = true),
    held: (count: number) => until(() => engine.snapshot.hold.held === count, `${count} clients are held`),
    async [Symbol.asyncDispose]() {
      await balancer[Symbol.asyncDispose]();
      await echo[Symbol.asyncDispose]();
    },
  };
}

Deno.test("held clients are served once their server is up, and its webhook was called once", async () => {
  const calls: unknown[] = [];
  await using webhook = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    calls.push(await request.json());
    return new Response();
  });
  const wake = `http://127.0.0.1:${(webhook.addr as Deno.NetAddr).port}/wake`;
  await using balancer = holding({ for: 60_000, clients: 10, wake });
  const clients = await Promise.all(Array.from({ length: 5 }, () => balancer.connect()));
  const served = Promise.all(clients.map((client) => identify(client)));
  await until(() => calls.length === 1, "the webhook is called");
  await balancer.held(5);
  balancer.start();
  await served;
  assertEquals(calls, [{ route: "id 1", upstream: balancer.upstream, id: "1" }]);
  await balancer.held(0);
  for (const client of clients) client.close();
});

Deno.test("a held client that resets its connection releases its place", async () => {
  await using balancer = holding({ for: 3_600_000, clients: 1 });
  const client = connect(balancer.port, "127.0.0.1");
  const closed = new Promise((resolve) => client.once("close", resolve));
  client.write(encodeId("1"));
  await balancer.held(1);
  client.resetAndDestroy();
  await balancer.held(0);
  await closed;
});

Deno.test("a client that was held for the longest time is refused, and so is one too many", async () => {
  await using balancer = holding({ for: 700, clients: 1 });
  using first = await balancer.connect();
  const started = performance.now();
  const held = refused(first);
  using second = await balancer.connect();
  assertEquals([await refused(second), await held], [UPSTREAM_UNAVAILABLE, UPSTREAM_UNAVAILABLE]);
  assertGreaterOrEqual(performance.now() - started, 699);
});

Deno.test("closing the balancer waits for no held client", async () => {
  await using balancer = holding({ for: 3_600_000, clients: 1 });
  using client = await balancer.connect();
  const ended = refused(client).catch(() => "ended");
  await balancer.held(1);
  await balancer.balancer.close();
  await ended;
});

Deno.test("a held client whose connection is terminated releases its place", async () => {
  await using balancer = holding({ for: 3_600_000, clients: 1 });
  for (let round = 0; round < 2; round++) {
    using client = await balancer.connect();
    const ended = refused(client).catch(() => "ended");
    await balancer.held(1);
    await balancer.engine.terminate({ id: "1" }, { reason: "kicked", closedBy: "balancer" });
    await until(() => balancer.balancer.active === 0, "its connection ends");
    await balancer.held(0);
    await ended;
  }
});
