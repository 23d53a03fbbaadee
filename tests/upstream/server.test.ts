import { Health } from "../../lib/upstream/health.ts";
import { Server, ServerRecord } from "../../lib/upstream/server.ts";
import type { SharedThread } from "../../lib/shared/thread.ts";
import { assert, assertEquals } from "../assert.ts";
import { openThreads } from "../shared/fixture.ts";

const ADDRESS = { host: "::1", port: 9000 };

Deno.test("a server's key is its host and port", () => {
  assertEquals(new Server(ADDRESS).key, "[::1]:9000");
});

Deno.test("connections are counted until they are released, once each", () => {
  const server = new Server(ADDRESS);
  const [first, second] = [server.acquire(), server.acquire()];
  assertEquals(server.active, 2);
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  assertEquals(server.active, 1);
  second?.[Symbol.dispose]();
  assertEquals(server.active, 0);
});

Deno.test("a server gets no more connections than max_connections", () => {
  const server = new Server({ ...ADDRESS, maxConnections: 1 });
  const only = server.acquire();
  assert(only);
  assertEquals(server.acquire(), undefined);
  only[Symbol.dispose]();
  assert(server.acquire());
});

Deno.test("records of several threads share a count, and each reports when its own connections have ended", () => {
  const { one, other } = openThreads(2);
  const idle: string[] = [];
  const serverOf = (name: string, thread: SharedThread) => {
    const record = new ServerRecord("[::1]:9000", {
      count: thread.ofServer("eu [::1]:9000"),
      onIdle: () => void idle.push(name),
    });
    return new Server({ ...ADDRESS, maxConnections: 2 }, record);
  };
  const [here, there] = [serverOf("one", one), serverOf("other", other)];
  const first = here.acquire();
  assert(first && there.acquire());
  assertEquals([here.active, there.active, here.acquire(), there.acquire()], [2, 2, undefined, undefined]);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  assertEquals([here.active, there.active, idle], [1, 1, ["one"]]);
  assert(there.acquire());
});

Deno.test("connections and health are kept by another configuration", () => {
  const health = new Health({ fall: 1, rise: 1, maxFails: 0, failDuration: 1000, slowStart: 0 });
  const record = new ServerRecord("[::1]:9000", { pool: "eu", health });
  const before = new Server(ADDRESS, record);
  before.acquire();
  record.checked(new Error("refused"));
  const after = new Server({ ...ADDRESS, weight: 0, maxConnections: 1 }, record);
  assertEquals([after.active, after.state, after.draining], [1, "down", true]);
  assertEquals(after.acquire(), undefined, "the connections of before count");
});

Deno.test("a server is drained by weight 0", () => {
  assert(new Server({ ...ADDRESS, weight: 0 }).draining);
  assert(!new Server(ADDRESS).draining);
});

Deno.test("each change of health is reported once, with its cause", () => {
  const changes: string[] = [];
  const settings = { fall: 2, rise: 1, maxFails: 1, failDuration: 1000, slowStart: 0 };
  let now = 0;
  const record = new ServerRecord("n1:1", {
    health: new Health(settings, () => now),
    onChange: (record, state, why) => changes.push(`${record.key} ${state}: ${why}`),
  });
  const refused = new Error("refused");
  for (let check = 0; check < 4; check++) record.checked(refused);
  record.checked();
  record.dialed(refused);
  now = 1000;
  record.report("back");
  assertEquals(changes, [
    "n1:1 down: refused",
    "n1:1 up: its checks pass",
    "n1:1 ejected: refused",
    "n1:1 up: back",
  ]);
});
