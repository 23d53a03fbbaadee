/** Redis behind sentinels and in a cluster: real servers, of which one is killed. */

import { assert, assertEquals, assertInstanceOf } from "../../assert.ts";
import { Refusal } from "../../../lib/errors.ts";
import { keySlot } from "../../../lib/route/redis/key_slot.ts";
import { RedisRoutes } from "../../../lib/route/redis/redis_routes.ts";
import { targetText } from "../../../lib/util/text.ts";
import { KEY, redisConfig, RedisServer, redisTest } from "../../redis.ts";
import { SOAK } from "../../soak.ts";
import { until } from "../../wait.ts";

/** Servers need a while to agree, longer on a busy machine. */
const AGREE_MS = 30_000;

const CLUSTER = ["--cluster-enabled", "yes", "--cluster-node-timeout", "500"];
const SLOTS = [[0, 5460], [5461, 10_922], [10_923, 16_383]] as const;

/** Three masters that know each other. */
async function startCluster() {
  await using stack = new AsyncDisposableStack();
  const servers: RedisServer[] = [];
  for (const [index, [from, to]] of SLOTS.entries()) {
    const server = stack.use(await RedisServer.start(CLUSTER));
    await server.command("CLUSTER", "ADDSLOTSRANGE", `${from}`, `${to}`);
    await server.command("CLUSTER", "SET-CONFIG-EPOCH", `${index + 1}`);
    for (const { port } of servers) await server.command("CLUSTER", "MEET", "127.0.0.1", `${port}`);
    servers.push(server);
  }
  for (const server of servers) {
    await until(() => knowsAll(server), "the servers know each other", AGREE_MS);
  }
  const owners = stack.move();
  const slot = keySlot(KEY);
  const owner = servers[SLOTS.findIndex(([from, to]) => from <= slot && slot <= to)];
  assert(owner);
  return { servers, owner, [Symbol.asyncDispose]: () => owners[Symbol.asyncDispose]() };
}

async function knowsAll(server: RedisServer): Promise<boolean> {
  const info = String(await server.command("CLUSTER", "INFO"));
  const slots = await server.command("CLUSTER", "SLOTS");
  return info.includes("cluster_state:ok") && Array.isArray(slots) && slots.length === SLOTS.length;
}

function open(fields: string) {
  const routes = new RedisRoutes(redisConfig(fields));
  routes.start();
  return {
    routes,
    async target(id: string): Promise<string | undefined> {
      try {
        const route = await routes.find(id);
        return route && targetText(route.target);
      } catch (error) {
        assertInstanceOf(error, Refusal);
        return error.reason;
      }
    },
    [Symbol.asyncDispose]: () => routes[Symbol.asyncDispose](),
  };
}

redisTest("a cluster of three masters loses one, and known IDs are still routed", async () => {
  await using cluster = await startCluster();
  const { servers, owner } = cluster;
  await owner.set({ a: "n1.example.com:1" });
  const other = servers.find((server) => server !== owner);
  assert(other);
  // each of them names the others
  await using redis = open(`cluster: ["${other.address}"]`);
  assertEquals(await redis.target("a"), "n1.example.com:1");
  assertEquals(await redis.target("b"), undefined);
  await owner.set({ a: "n2.example.com:2" });
  await until(async () => await redis.target("a") === "n2.example.com:2", "the change was heard of");

  await owner.kill();
  await until(() => !redis.routes.state().up, "the loss is known", AGREE_MS);
  assertEquals(await redis.target("a"), "n2.example.com:2");
  assertEquals(await redis.target("c"), "UPSTREAM_UNAVAILABLE");

  if (!SOAK) return;
  await owner.restart();
  await until(() => redis.routes.state().up, "it is connected again", AGREE_MS);
  await owner.set({ c: "n3.example.com:3" });
  await until(
    async () => await redis.target("c") === "n3.example.com:3",
    "new IDs are found again",
    AGREE_MS,
  );
});

if (SOAK) {
  redisTest("a cluster loses a master without the hash, and known IDs are still routed", async () => {
    await using cluster = await startCluster();
    const { servers, owner } = cluster;
    await owner.set({ a: "n1.example.com:1" });
    await using redis = open(`cluster: [${servers.map(({ address }) => `"${address}"`).join(", ")}]`);
    assertEquals(await redis.target("a"), "n1.example.com:1");
    const other = servers.find((server) => server !== owner);
    await other?.kill();
    // the whole cluster refuses commands once it has noticed
    await until(() => !redis.routes.state().up, "the cluster is down", AGREE_MS);
    assert(redis.routes.state().text.includes("CLUSTERDOWN"), redis.routes.state().text);
    assertEquals(await redis.target("a"), "n1.example.com:1");
  });
}

redisTest("sentinels name the master, and its successor after it is killed", async () => {
  await using master = await RedisServer.start(["--repl-diskless-sync-delay", "0"]);
  await using replica = await RedisServer.start(["--replicaof", "127.0.0.1", `${master.port}`]);
  await until(
    async () => `${await replica.command("ROLE")}`.includes("connected"),
    "the replica follows",
    AGREE_MS,
  );
  const config =
    `sentinel monitor main 127.0.0.1 ${master.port} 1\nsentinel down-after-milliseconds main 300\n` +
    "sentinel failover-timeout main 3000\n";
  await using sentinel = await RedisServer.start(["--sentinel"], config);
  await master.set({ a: "n1.example.com:1" });
  await using redis = open(`sentinel: { master: main, addresses: ["127.0.0.1:1", "${sentinel.address}"] }`);
  assertEquals(await redis.target("a"), "n1.example.com:1");
  const replicas = () => sentinel.command("SENTINEL", "REPLICAS", "main");
  await until(
    async () => JSON.stringify(await replicas()).includes(`${replica.port}`),
    "it knows the replica",
    AGREE_MS,
  );

  await master.kill();
  await until(() => !redis.routes.state().up, "the loss is known", AGREE_MS);
  assertEquals(await redis.target("a"), "n1.example.com:1");
  await until(
    async () => `${await replica.command("ROLE")}`.startsWith("master"),
    "it is the master",
    AGREE_MS,
  );
  await replica.set({ a: "n2.example.com:2" });
  await until(
    async () => await redis.target("a") === "n2.example.com:2",
    "the next master is asked",
    AGREE_MS,
  );
});
