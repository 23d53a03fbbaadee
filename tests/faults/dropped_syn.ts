// deno-lint-ignore-file no-console -- the test reads what it prints
/**
 * Runs in a network namespace whose 10.255.0.0/24 drops every packet: clients of a pool with one server there and
 * one on loopback. Prints the results as a JSON object.
 */

import { startBalancer } from "../fixture.ts";
import { startEcho } from "../upstreams.ts";
import { until } from "../wait.ts";
import { identify } from "../clients.ts";
import { configToPool, poolOn } from "../pools.ts";
import { synSent } from "../sockets.ts";

const CLIENTS = 20;
const LOST_PORT = 9999;

const echo = startEcho();
const pool = poolOn([echo.port]);
const servers = [{ host: "10.255.0.2", port: LOST_PORT, weight: 1, backup: false }, ...pool.servers];
const config = configToPool({ ...pool, strategy: "hash", servers, max_fails: 5 }, {
  timeouts: { connect: 600 },
});
const attempts = new Map<string, number>();
await using balancer = startBalancer(config, {
  observers: [{ closed: ({ id = "", attempts: tried }) => void attempts.set(id, tried) }],
});

async function waitOf(id: string): Promise<number> {
  const started = performance.now();
  using client = await balancer.connect();
  await identify(client, id);
  return performance.now() - started;
}

const ids = Array.from({ length: CLIENTS }, (_, index) => `client-${index}`);
const waits = await Promise.all(ids.map(waitOf));
await waitOf("after");
await until(() => attempts.size === CLIENTS + 1, "every connection has ended");
const clients = ids.map((id, index) => ({ attempts: attempts.get(id), wait: waits[index] }));
console.log(JSON.stringify({ clients, after: attempts.get("after"), left: synSent(LOST_PORT) }));
await echo[Symbol.asyncDispose]();
