import type { PoolConfig } from "../../lib/config/config.ts";
import { Health } from "../../lib/upstream/health.ts";
import { ServerPool, SinglePool } from "../../lib/upstream/pool.ts";
import { Server, type ServerOptions, ServerRecord } from "../../lib/upstream/server.ts";
import { strategyOf } from "../../lib/upstream/strategies.ts";
import { assertEquals } from "../assert.ts";
import { all } from "../pools.ts";

const SETTINGS = { fall: 1, rise: 1, maxFails: 0, failDuration: 1000, slowStart: 0 };

/** A pool of servers with these options, the ports 1, 2, 3, … and health that the test sets. */
function pool(...options: Partial<ServerOptions>[]) {
  const servers = options.map((option, index) => {
    const address = { host: "n", port: index + 1 };
    const record = new ServerRecord(`n:${index + 1}`, { pool: "eu", health: new Health(SETTINGS) });
    return new Server({ ...address, ...option }, record);
  });
  const panics: boolean[] = [];
  const made = new ServerPool({
    name: "eu",
    config: {} as PoolConfig,
    servers,
    strategy: strategyOf("round_robin"),
    onPanic: ({ panicking }) => panics.push(panicking),
  });
  return {
    pool: made,
    panics,
    set: (port: number, up: boolean) => servers[port - 1]?.record.checked(up ? undefined : new Error("down")),
    tried: () => all(made.candidates("1")).map(({ port }) => port),
  };
}

Deno.test("a pool of one returns its server once for each connection", () => {
  const server = new Server({ host: "n", port: 1 });
  const pool = new SinglePool(server);
  const candidates = pool.candidates();
  assertEquals(candidates.left, 1);
  assertEquals(all(candidates), [server]);
  assertEquals(candidates.left, 0);
  assertEquals(all(pool.candidates()), [server], "each connection anew");
});

Deno.test("each healthy server is tried once, in the order of the strategy, and then the backups", () => {
  const test = pool({ backup: true }, {}, {}, { backup: true });
  assertEquals(test.tried(), [2, 3, 1, 4]);
  test.set(2, false);
  assertEquals(test.tried().includes(2), false);
});

Deno.test("a server with weight 0 is not tried", () => {
  assertEquals(pool({ weight: 0 }, {}).tried(), [2]);
  assertEquals(pool({ weight: 0 }).tried(), []);
});

Deno.test("a server is picked only when it is needed", () => {
  const test = pool({}, {});
  const firsts = Array.from({ length: 4 }, () => test.pool.candidates("1").next()?.port);
  assertEquals(firsts, [1, 2, 1, 2]);
});

Deno.test("the remaining time is divided by the number of remaining candidates", () => {
  const test = pool({}, {}, { backup: true });
  const candidates = test.pool.candidates("1");
  const left = [];
  while (candidates.next()) left.push(candidates.left);
  assertEquals(left, [2, 1, 0]);
});

Deno.test("a pool without a healthy server tries all that are not drained, and reports the begin and the end of that", () => {
  const test = pool({}, {}, { backup: true }, { weight: 0 });
  for (const port of [1, 2, 3, 4]) test.set(port, false);
  assertEquals(test.tried(), [1, 2, 3]);
  test.tried();
  test.set(3, true);
  assertEquals(test.tried(), [3]);
  assertEquals(test.panics, [true, false]);
});
