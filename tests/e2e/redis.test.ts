/** Balancers as processes that share one table in Redis. */

import { assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { identify, named } from "../clients.ts";
import { configTo, startBalancer } from "../fixture.ts";
import { patient, redisConfig, RedisServer, redisTest, sharedRedis } from "../redis.ts";
import { count, LISTENERS, replace, said, serve, type Serving } from "../serving.ts";
import { sized } from "../soak.ts";
import { startEcho, startNamed } from "../upstreams.ts";
import { until } from "../wait.ts";

const shared = sharedRedis();
let keys = 0;

/** The text of a configuration with a hash of its own, and the name of the hash. */
function tableIn(more = "", server = shared.get()) {
  const key = `routes:${++keys}`;
  const redis = `redis: { ${patient(`url: "redis://${server.address}", key: "${key}"${more}`)} }\n`;
  return { key, text: `routes: []\ntimeouts: { connect: 20s }\nadmin: { address: "127.0.0.1:0" }\n${redis}` };
}

/** The admin API's answer to a GET: its status and its text. */
async function ask({ balancer }: Serving, path: string): Promise<[number, string]> {
  await balancer.stderr.until("admin API at ");
  await balancer.stderr.until("/\n");
  const [, address] = /admin API at (http:\S+)\/\n/.exec(balancer.stderr.text) ?? [];
  const response = await fetch(`${address}${path}`);
  return [response.status, (await response.text()).trimEnd()];
}

redisTest("a changed route is used by the next connection on each of three instances", async () => {
  const key = `routes:${++keys}`;
  await using one = startNamed("one");
  await using two = startNamed("two");
  await using stack = new AsyncDisposableStack();
  const redis = redisConfig(`url: "redis://${shared.get().address}", key: "${key}"`);
  const config = configTo(9, { routes: [], redis, timeouts: { connect: 20_000 } });
  const instances = [1, 2, 3].map(() => stack.use(startBalancer(config)));
  await shared.get().set({ device: `127.0.0.1:${one.port}` }, key);
  assertEquals(await Promise.all(instances.map((each) => named(each, "device"))), ["one", "one", "one"]);
  await shared.get().set({ device: `127.0.0.1:${two.port}` }, key);
  for (const instance of instances) {
    const names: string[] = [];
    for (let name = ""; name !== "two" && names.length < 100; names.push(name)) {
      name = await named(instance, "device");
    }
    assertEquals(names.at(-1), "two");
  }
});

redisTest(
  "readiness, status and metrics report the state of Redis, and a reload changes its settings",
  async () => {
    await using server = await RedisServer.start();
    await using upstream = startNamed("upstream");
    const { key, text } = tableIn("", server);
    await using balancer = await serve("", { text: `${LISTENERS}${text}` });
    await said(balancer, "redis: connected to");
    assertEquals(await ask(balancer, "/readyz"), [200, "ready"]);
    await server.set({ device: `127.0.0.1:${upstream.port}` }, key);
    assertEquals(await named(balancer, "device"), "upstream");

    await server.kill();
    await said(balancer, "redis: unavailable");
    const [status, ready] = await ask(balancer, "/readyz");
    assertEquals(status, 200);
    assertMatch(ready, /^ready\nredis: unavailable for \S+: .*1 cached ID can be routed for up to 1h$/);
    assertEquals(await named(balancer, "device"), "upstream");
    const [, metrics] = await ask(balancer, "/metrics");
    assertStringIncludes(metrics, "\nswitchyard_redis_up 0\n");
    assertStringIncludes(metrics, '\nswitchyard_redis_lookups_total{result="stale"} 1\n');
    const view = JSON.parse((await ask(balancer, "/api/v1/status"))[1]);
    assertEquals([view.redis.up, view.redis.serving, view.redis.cached_ids], [false, true, 1]);

    await server.restart();
    const next = tableIn(", timeout: 2s", server);
    await replace(balancer, `${LISTENERS}${next.text}`);
    await said(balancer, "redis: connected to", 2);
    await until(async () => (await ask(balancer, "/readyz"))[1] === "ready", "it is connected");
    await server.set({ device: "no target" }, next.key);
    const [, explained] = await ask(balancer, "/api/v1/explain?id=device");
    assertEquals(JSON.parse(explained).refused.reason, "UPSTREAM_UNAVAILABLE");
    await server.set({ device: `127.0.0.1:${upstream.port}` }, next.key);
    assertEquals(await named(balancer, "device"), "upstream");
  },
);

redisTest("an instance that has never reached Redis is ready only if its file has routes", async () => {
  await using server = await RedisServer.start();
  const { text } = tableIn("", server);
  await server.kill();
  await using balancer = await serve("", { text: `${LISTENERS}${text}` });
  await said(balancer, "redis: unavailable");
  const [status, ready] = await ask(balancer, "/readyz");
  assertEquals(status, 503);
  assertStringIncludes(ready, "it refused the connection");
  await replace(balancer, `${LISTENERS}${text.replace("[]", "[{ id: 1, host: 127.0.0.1, port: 1 }]")}`);
  await until(async () => (await ask(balancer, "/readyz"))[0] === 200, "a route of the file is enough");
});

redisTest("no known ID fails while Redis is killed and restarted under load", async () => {
  await using server = await RedisServer.start();
  await using echo = startEcho();
  const redis = redisConfig(`url: "redis://${server.address}"`);
  await using balancer = startBalancer(
    configTo(echo.port, { routes: [], redis, timeouts: { connect: 20_000 } }),
  );
  const ids = Array.from({ length: sized(1000) }, (_, index) => `device-${index}`);
  await server.set(Object.fromEntries(ids.map((id) => [id, `127.0.0.1:${echo.port}`])));
  const stop = new AbortController();
  let served = 0;
  const load = Array.from({ length: 8 }, async (_, first) => {
    for (let index = first; !stop.signal.aborted; index++) {
      using client = await balancer.connect();
      await identify(client, ids[index % ids.length]);
      served += 1;
    }
  });
  const more = (count: number, what: string) => {
    const enough = served + count;
    return until(() => served >= enough, what, 30_000);
  };
  const done = Promise.all(load);
  await Promise.race([done, more(ids.length * 9, "each ID is known")]);
  for (let kill = 0; kill < sized(10, 0.2); kill++) {
    await server.kill();
    await Promise.race([done, more(200, "known IDs are served without Redis")]);
    await server.restart();
    const isUp = () => balancer.balancer.engine.snapshot.redis?.state().up === true;
    await Promise.race([done, until(isUp, "it is connected again", 30_000)]);
    await Promise.race([done, more(200, "known IDs are served")]);
  }
  stop.abort();
  await done;
});

redisTest("workers have a cache each, and all of them use a changed route", async () => {
  await using one = startNamed("one");
  await using two = startNamed("two");
  const { key, text } = tableIn();
  await using balancer = await serve("", { text: `${LISTENERS}workers: 2\n${text}` });
  const names = () => Promise.all(Array.from({ length: 16 }, () => named(balancer, "device")));
  await shared.get().set({ device: `127.0.0.1:${one.port}` }, key);
  assertEquals(new Set(await names()), new Set(["one"]));
  await shared.get().set({ device: `127.0.0.1:${two.port}` }, key);
  await until(async () => (await names()).every((name) => name === "two"), "all use the change");
  const { redis } = JSON.parse((await ask(balancer, "/api/v1/status"))[1]);
  assertEquals([redis.up, redis.lookups.unavailable], [true, 0]);
  assertStringIncludes((await ask(balancer, "/metrics"))[1], "\nswitchyard_redis_up 1\n");
  await said(balancer, "redis: connected");
  assertEquals(count(balancer, "redis: connected"), 1, "each worker has logged its connection");
});
