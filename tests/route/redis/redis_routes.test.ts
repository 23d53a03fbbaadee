import { assert, assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "../../assert.ts";
import { messageOf, Refusal } from "../../../lib/errors.ts";
import { RedisRoutes } from "../../../lib/route/redis/redis_routes.ts";
import { type Route, ruleText } from "../../../lib/route/table.ts";
import { targetText } from "../../../lib/util/text.ts";
import { redisStats } from "../../observe/metrics_source.ts";
import { redisConfig, RedisServer, redisTest, sharedRedis } from "../../redis.ts";
import { captureLog } from "../../serving.ts";
import { pause, until } from "../../wait.ts";

const shared = sharedRedis();
let keys = 0;

/** Routes of a hash of their own on the shared server. */
function open(fields = "", server = shared.get()) {
  const key = `routes:${++keys}`;
  const config = redisConfig(`url: "redis://${server.address}", key: "${key}"${fields}`);
  const routes = new RedisRoutes(config);
  routes.start();
  return {
    config,
    routes,
    set: (ids: Readonly<Record<string, string>>) => server.set(ids, key),
    remove: (id: string) => server.command("HDEL", key, id),
    /** The target of an ID, or the reason for the refusal. */
    async target(id: string): Promise<string | undefined> {
      try {
        return text(await routes.find(id));
      } catch (error) {
        assertInstanceOf(error, Refusal);
        return `${error.reason}: ${messageOf(error.cause)}`;
      }
    },
    [Symbol.asyncDispose]: () => routes[Symbol.asyncDispose](),
  };
}

function text(route: Route | undefined): string | undefined {
  return route && targetText(route.target);
}

redisTest("an ID is looked up once, and then answered at once", async () => {
  await using redis = open();
  await redis.set({ a: "n1.example.com:7777", b: "eu" });
  assertEquals(await redis.target("a"), "n1.example.com:7777");
  const again = redis.routes.find("a");
  assert(again && !(again instanceof Promise), "it was looked up again");
  assertEquals(ruleText(again.rule), "redis a");
  assertEquals(await redis.target("b"), "pool eu");
  assertEquals(redis.routes.stats().lookups, {
    cached: 1,
    found: 2,
    unknown: 0,
    stale: 0,
    unavailable: 0,
    invalid: 0,
  });
});

redisTest("a change applies to the next look-up", async () => {
  await using redis = open();
  await redis.set({ a: "n1.example.com:1" });
  assertEquals(await redis.target("a"), "n1.example.com:1");
  for (const port of [2, 3, 4]) {
    const { invalidations } = redis.routes.stats();
    await redis.set({ a: `n1.example.com:${port}` });
    await until(() => redis.routes.stats().invalidations > invalidations, "the change was heard of");
    assertEquals(await redis.target("a"), `n1.example.com:${port}`);
  }
  await redis.remove("a");
  await until(() => redis.routes.stats().invalidations >= 4, "the removal was heard of");
  assertEquals(await redis.target("a"), undefined);
});

redisTest("an unknown ID is remembered as unknown until it is added", async () => {
  await using redis = open();
  await redis.set({ a: "n1.example.com:1" });
  assertEquals(await redis.target("b"), undefined);
  assertEquals(redis.routes.find("b"), undefined);
  await redis.set({ b: "n2.example.com:2" });
  await until(() => redis.routes.stats().invalidations > 0, "the change was heard of");
  assertEquals(await redis.target("b"), "n2.example.com:2");
});

redisTest("an unknown ID is looked up again after negative_ttl", async () => {
  await using redis = open(", negative_ttl: 20ms");
  assertEquals(await redis.target("b"), undefined);
  const { requests } = redis.routes.stats();
  await pause(30);
  assertEquals(await redis.target("b"), undefined);
  assertEquals(redis.routes.stats().requests, requests + 1);
});

redisTest("a hash that does not exist has no ID", async () => {
  await using redis = open();
  assertEquals(await redis.target("a"), undefined);
});

redisTest("any number of connections that miss one ID make one request", async () => {
  await using redis = open();
  await redis.set({ a: "n1.example.com:1" });
  await redis.target("b");
  const { requests } = redis.routes.stats();
  const targets = await Promise.all(Array.from({ length: 1000 }, () => redis.target("a")));
  assertEquals(new Set(targets), new Set(["n1.example.com:1"]));
  assertEquals(redis.routes.stats().requests, requests + 1);
});

redisTest("many IDs share requests", async () => {
  await using redis = open();
  const ids = Array.from({ length: 2000 }, (_, index) => `id-${index}`);
  await redis.set(Object.fromEntries(ids.map((id) => [id, `${id}.example.com:1`])));
  const targets = await Promise.all(ids.map((id) => redis.target(id)));
  assertEquals(targets, ids.map((id) => `${id}.example.com:1`));
  assert(redis.routes.stats().requests < 100, `${redis.routes.stats().requests} requests`);
});

redisTest("an invalid value is logged, and its clients are refused", async () => {
  using log = captureLog();
  await using redis = open();
  await redis.set({ a: "n1.example.com:99999", "x\n": "b c" });
  assertStringIncludes(await redis.target("a") ?? "", "UPSTREAM_UNAVAILABLE: redis: the value of ID");
  assertStringIncludes(await redis.target("x\n") ?? "", '"b c", expected host:port');
  assertEquals(log.lines("the value of").length, 1);
  assertEquals(redis.routes.stats().lookups.invalid, 2);
});

redisTest(
  "without Redis cached IDs are routed for the time of stale, and others are unavailable",
  async () => {
    using log = captureLog();
    await using server = await RedisServer.start();
    await using redis = open("", server);
    await redis.set({ a: "n1.example.com:1" });
    assertEquals(await redis.target("a"), "n1.example.com:1");
    assertEquals(await redis.target("b"), undefined);
    await server.kill();
    await until(() => !redis.routes.state().up, "the loss is known");
    assertEquals(text(await redis.routes.find("a")), "n1.example.com:1");
    assertStringIncludes(await redis.target("b") ?? "", "UPSTREAM_UNAVAILABLE: redis: 127.0.0.1:");
    assertThrows(() => redis.routes.find("b"), Refusal);
    assertStringIncludes(redis.routes.state().text, "1 cached ID can be routed for up to 1h");
    assert(redis.routes.state().serving);

    await server.restart();
    await redis.set({ b: "n2.example.com:2" });
    await until(() => redis.routes.state().up, "it is connected again", 20_000);
    assertEquals(await redis.target("b"), "n2.example.com:2");
    assertEquals(log.lines("redis: unavailable").length, 1);
    assertEquals(log.lines("redis: connected again after").length, 1);
  },
);

redisTest("without Redis nothing is routed once stale is over", async () => {
  await using server = await RedisServer.start();
  await using redis = open(", stale: 50ms", server);
  await redis.set({ a: "n1.example.com:1" });
  assertEquals(await redis.target("a"), "n1.example.com:1");
  await server.kill();
  await until(() => !redis.routes.state().serving, "stale is over");
  assertStringIncludes(await redis.target("a") ?? "", "UPSTREAM_UNAVAILABLE");
});

redisTest("a silent server is given up after timeout, and cached IDs are routed", async () => {
  await using server = await RedisServer.start();
  await using redis = open(", timeout: 500ms", server);
  await redis.set({ a: "n1.example.com:1" });
  await until(async () => await redis.target("a") === "n1.example.com:1", "it is known", 20_000);
  server.suspend();
  assertStringIncludes(await redis.target("b") ?? "", "no answer within 500ms");
  await until(() => !redis.routes.state().up, "the loss is known", 20_000);
  assertEquals(text(await redis.routes.find("a")), "n1.example.com:1");
  server.resume();
  await until(() => redis.routes.state().up, "it is connected again", 20_000);
});

redisTest("changes made while the connection was lost apply once it is back", async () => {
  await using server = await RedisServer.start();
  await using redis = open("", server);
  const target = async (port: number) => {
    await until(async () => await redis.target("a") === `n1.example.com:${port}`, `${port} is used`, 20_000);
  };
  await redis.set({ a: "n1.example.com:1" });
  await target(1);
  const isUp = () => redis.routes.state().up;
  await server.command("CLIENT", "KILL", "TYPE", "normal");
  await redis.set({ a: "n1.example.com:2" });
  await until(() => redis.routes.stats().connects.success === 2 && isUp(), "it is back", 20_000);
  assertEquals(await redis.target("a"), "n1.example.com:2");
  // a change of all keys includes this one
  await server.command("FLUSHALL");
  await until(async () => await redis.target("a") === undefined, "the hash is gone", 20_000);
});

redisTest("cached targets survive a change of other settings", async () => {
  await using redis = open();
  await redis.set({ a: "n1.example.com:1" });
  assertEquals(await redis.target("a"), "n1.example.com:1");
  const changed = { ...redis.config, timeout: 5000 };
  assert(redis.routes.isFor({ ...redis.config }));
  assert(!redis.routes.isFor(changed));
  await using next = new RedisRoutes(changed, redis.routes);
  assertEquals(next.stats().cached, 1);
  await using other = new RedisRoutes({ ...changed, key: "other" }, redis.routes);
  assertEquals(other.stats().cached, 0);
});

redisTest("look-ups under way are answered before the connection is retired", async () => {
  await using redis = open();
  await redis.set({ a: "n1.example.com:1" });
  const target = redis.target("a");
  await redis.routes.retire();
  assertEquals(await target, "n1.example.com:1");
});

Deno.test("a reload keeps the counts of the previous instance, but not its state", async () => {
  await using routes = new RedisRoutes(redisConfig('url: "redis://127.0.0.1:1"'));
  routes.start(redisStats);
  const { up, lookups, requests, invalidations, cached } = routes.stats();
  assertEquals([up, lookups.found, requests, invalidations, cached], [false, 2, 7, 10, 0]);
});
