import { ConnectionRegistry } from "../../lib/connection/registry.ts";
import { type Closing, Observers } from "../../lib/observe/observer.ts";
import { TcpDuplex } from "../../lib/transport/tcp.ts";
import { assertEquals } from "../assert.ts";

const ADDRESS: Deno.NetAddr = { transport: "tcp", hostname: "192.0.2.7", port: 50_000 };

const FINISHED: Closing = { reason: "client_fin", closedBy: "client" };

const KICKED: Closing = { reason: "kicked", closedBy: "balancer" };

/** A registry, and the reasons of the connections that have been closed. @param numbers Those of connections, in turn */
function registered(numbers?: number[]) {
  const reasons: string[] = [];
  const registry = new ConnectionRegistry(
    new Observers([{ closed: ({ conn }, { reason }) => void reasons.push(`${conn} ${reason}`) }]),
    numbers && (() => numbers.shift() ?? NaN),
  );
  const closedSockets = new Set<object>();
  const open = (id?: string) => {
    const client: TcpDuplex = new TcpDuplex({
      read: () => Promise.resolve(null),
      write: ({ length }) => Promise.resolve(length),
      closeWrite: () => Promise.resolve(),
      setNoDelay: () => {},
      [Symbol.dispose]: () => void closedSockets.add(client),
    });
    const connection = registry.open(client, { remoteAddr: ADDRESS, localAddr: ADDRESS }, ":8888");
    if (id !== undefined) connection.identified(id);
    return connection;
  };
  return { registry, reasons, open, closedSockets };
}

Deno.test("connections have rising numbers, and are found by number and by ID, the oldest first", () => {
  const { registry, open } = registered();
  const [first, second, third] = [open("a"), open("b"), open("a")];
  assertEquals([...registry].map(({ conn }) => conn), [1, 2, 3]);
  assertEquals([registry.get(2), registry.get(4)], [second, undefined]);
  assertEquals([...registry.ofId("a")], [first, third]);
  registry.close(first, FINISHED);
  assertEquals([registry.active, registry.total, [...registry.ofId("a")].length], [2, 3, 1]);
});

Deno.test("with numbers shared over threads, which have gaps, the total counts only this thread's connections", async () => {
  const { registry, open } = registered([3, 7, 8]);
  const [first, second] = [open(), open()];
  assertEquals([first.conn, second.conn, registry.total, registry.last], [3, 7, 2, 7]);
  const ended = registry.ended(registry.last);
  open();
  for (const connection of [first, second]) registry.close(connection, FINISHED);
  await ended;
  assertEquals([registry.active, registry.total, registry.last], [1, 3, 8]);
});

Deno.test("connections are selected by number, by ID or by both; without either none is", () => {
  const { registry, open } = registered();
  const [first, second] = [open("a"), open("b")];
  assertEquals(registry.select({ conn: 1 }), [first]);
  assertEquals(registry.select({ id: "b" }), [second]);
  assertEquals(registry.select({ conn: 1, id: "a" }), [first]);
  assertEquals(registry.select({ conn: 1, id: "b" }), []);
  assertEquals(registry.select({}), []);
});

Deno.test("a page begins after a number, has a limit, a filter and an order", () => {
  const { registry, open } = registered();
  for (const id of ["a", "b", "a", "c"]) open(id);
  const numbers = (page: Parameters<typeof registry.page>[0]) => registry.page(page).map(({ conn }) => conn);
  assertEquals(numbers({ limit: 2 }), [1, 2]);
  assertEquals(numbers({ limit: 2, after: 2 }), [3, 4]);
  assertEquals(numbers({ limit: 9, id: "a" }), [1, 3]);
  assertEquals(numbers({ limit: 2, order: "id" }), [1, 3]);
});

Deno.test("bytes are those of open and of closed connections", () => {
  const { registry, open } = registered();
  const [first, second] = [open(), open()];
  [first.up.written, first.down.written, second.up.written] = [1, 20, 300];
  assertEquals(registry.bytes(), { up: 301, down: 20 });
  registry.close(first, FINISHED);
  assertEquals(registry.bytes(), { up: 301, down: 20 });
});

Deno.test("a wait for the first connections does not include later ones", async () => {
  const { registry, open } = registered();
  const [first, second] = [open(), open()];
  let ended = false;
  const ending = registry.ended(1).then(() => ended = true);
  registry.close(second, FINISHED);
  await Promise.resolve();
  assertEquals(ended, false);
  open();
  registry.close(first, FINISHED);
  await ending;
});

Deno.test("without open connections there is no wait", async () => {
  await registered().registry.ended();
});

Deno.test("all are closed, with the reason of the first termination", async () => {
  const { registry, open, reasons, closedSockets } = registered();
  const connections = [open(), open()];
  connections[1]?.terminate(KICKED);
  const ending = registry.terminateAll({ reason: "drain", closedBy: "balancer" });
  assertEquals(closedSockets.size, 2);
  for (const connection of connections) registry.close(connection, FINISHED);
  await ending;
  assertEquals(reasons, ["1 drain", "2 kicked"]);
});
