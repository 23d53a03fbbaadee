import { BOUNDS, CountingObserver, newCounters, OTHER_UPSTREAMS, sumOf } from "../../lib/observe/counters.ts";
import { assertEquals } from "../assert.ts";
import { connectionWith } from "./connection_info.ts";

/** An observer that has counted one of everything. */
function counted(listener: string, ms: number): CountingObserver {
  const observer = new CountingObserver();
  const connection = connectionWith({ listener, identifiedAt: ms, dialedAt: 0, connectedAt: ms });
  observer.identified(connection);
  observer.dialFailed(connection, { host: "a.example.com", port: 1 }, "refused");
  observer.connected(connection);
  observer.closed(connection, { reason: "UNKNOWN_ID", closedBy: "balancer" });
  observer.closed(connectionWith({ listener, id: undefined, transport: "websocket" }), {
    reason: "client_reset",
    closedBy: "client",
  });
  return observer;
}

Deno.test("a connection is counted once, when it has an ID or else at its end; only refusals count as such", () => {
  const { connections, refused, dialErrors } = counted(":1", 2).counters;
  assertEquals([...connections], [[":1", { tcp: 1, websocket: 1 }]]);
  assertEquals(refused.UNKNOWN_ID, 1);
  assertEquals(Object.values(refused).reduce((sum, count) => sum + count), 1);
  assertEquals([...dialErrors].map(([upstream, reasons]) => [upstream, [...reasons]]), [
    ["a.example.com:1", [["refused", 1]]],
  ]);
});

Deno.test("a duration counts in the bucket of the lowest bound that it does not exceed", () => {
  for (const [index, bound] of BOUNDS.entries()) {
    const { identifying } = counted(":1", bound * 1000).counters;
    assertEquals(identifying.buckets.indexOf(1), index);
  }
  const { connecting } = counted(":1", 10_001).counters;
  assertEquals([connecting.buckets.indexOf(1), connecting.sum], [BOUNDS.length, 10.001]);
});

Deno.test("counters of several threads are summed, and can be sent to another thread", () => {
  const threads = [counted(":1", 2), counted(":1", 20), counted(":2", 200)];
  const sum = sumOf(threads.map(({ counters }) => structuredClone(counters)));
  assertEquals([...sum.connections], [[":1", { tcp: 2, websocket: 2 }], [":2", { tcp: 1, websocket: 1 }]]);
  assertEquals([sum.refused.UNKNOWN_ID, sum.refused.BAD_FRAME], [3, 0]);
  assertEquals(sum.dialErrors.get("a.example.com:1")?.get("refused"), 3);
  assertEquals(sum.identifying.buckets.filter((count) => count > 0), [1, 1, 1]);
  assertEquals(Math.round(sum.connecting.sum * 1000), 222);
  assertEquals(sumOf([]), newCounters());
});

Deno.test("failed dials to any number of upstreams make a bounded number of series", () => {
  const observer = new CountingObserver();
  const fail = (port: number) => {
    observer.dialFailed(connectionWith({}), { host: "a.example.com", port }, "refused");
  };
  for (let port = 1; port <= 5000; port++) fail(port);
  fail(1);
  const { dialErrors } = observer.counters;
  assertEquals(dialErrors.size, 1001);
  assertEquals(dialErrors.get("a.example.com:1")?.get("refused"), 2);
  assertEquals(dialErrors.get(OTHER_UPSTREAMS)?.get("refused"), 4000);
});
