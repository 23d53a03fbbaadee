import { Hold } from "../../lib/upstream/hold.ts";
import { type WakeCall, WebhookWaker } from "../../lib/upstream/waker.ts";
import { assert, assertEquals } from "../assert.ts";
import { captureLog } from "../serving.ts";
import { until } from "../wait.ts";

const CALL: WakeCall = { route: "id 1", upstream: "n1.example.com:7777", id: "1" };

/** A hold whose webhook only records its calls. */
function holdWith(answer: () => Promise<void> = () => Promise.resolve()) {
  const calls: [string, WakeCall][] = [];
  const hold = new Hold({
    retryMs: 10,
    waker: new WebhookWaker((url, call) => {
      calls.push([url, call]);
      return answer();
    }),
  });
  return { hold, calls, [Symbol.dispose]: () => hold[Symbol.dispose]() };
}

Deno.test("a route holds at most its number of clients, and other routes have places of their own", () => {
  using test = holdWith();
  const config = { for: 1000, clients: 2 };
  const places = [test.hold.enter(config, CALL), test.hold.enter(config, CALL)];
  assertEquals(test.hold.enter(config, CALL), undefined);
  using other = test.hold.enter(config, { ...CALL, route: "id 2" });
  assert(other);
  assertEquals(test.hold.held, 3);
  places[0]?.[Symbol.dispose]();
  using again = test.hold.enter(config, CALL);
  assert(again);
  places[1]?.[Symbol.dispose]();
});

Deno.test("held clients try in turn, and all at once after one has succeeded", async () => {
  using test = holdWith();
  const config = { for: 60_000, clients: 3 };
  const turns: number[] = [];
  const places = [0, 1, 2].map(() => test.hold.enter(config, CALL));
  const tries = places.map(async (place, client) => {
    for (let tried = 0; tried < 2; tried++) {
      assertEquals(await place?.turn(), true);
      turns.push(client);
    }
    return await place?.turn();
  });
  await until(() => turns.length === 6, "each has tried twice");
  assertEquals(turns, [0, 1, 2, 0, 1, 2]);
  places[0]?.reached();
  assertEquals(await Promise.all(tries), [true, true, true]);
  for (const place of places) place?.[Symbol.dispose]();
  assertEquals(test.hold.held, 0);
});

Deno.test("a client is held no longer than permitted", async () => {
  using test = holdWith();
  using place = test.hold.enter({ for: 60, clients: 1 }, CALL);
  let tries = 0;
  while (await place?.turn()) tries += 1;
  assert(tries < 10, `${tries} tries`);
  assertEquals(await place?.turn(), false);
});

Deno.test("the webhook is called once for an outage, and again for the next", async () => {
  using test = holdWith();
  const config = { for: 60_000, clients: 3, wake: "http://127.0.0.1:9/wake" };
  using first = test.hold.enter(config, CALL);
  using _second = test.hold.enter(config, { ...CALL, id: "2" });
  assertEquals(test.calls, [["http://127.0.0.1:9/wake", CALL]]);
  first?.reached();
  using _third = test.hold.enter(config, { ...CALL, id: "3" });
  assertEquals(test.calls.length, 2);
  await Promise.resolve();
});

Deno.test("the webhook is called again if no server came up in time", async () => {
  using test = holdWith();
  const config = { for: 30, clients: 3, wake: "http://127.0.0.1:9/wake" };
  {
    using place = test.hold.enter(config, CALL);
    while (await place?.turn());
  }
  using _place = test.hold.enter(config, CALL);
  assertEquals(test.calls.length, 2);
});

Deno.test("a webhook that fails is logged, and clients are still held", async () => {
  using log = captureLog();
  using test = holdWith(() => Promise.reject(new Error("it answered 500")));
  using place = test.hold.enter({ for: 60_000, clients: 1, wake: "http://127.0.0.1:9/" }, CALL);
  assertEquals(await place?.turn(), true);
  assertEquals(log.lines("for waking n1.example.com:7777 failed: it answered 500").length, 1);
});

Deno.test("the webhook gets a POST with JSON, and a status other than success is a failure", async () => {
  using log = captureLog();
  const bodies: unknown[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    bodies.push([request.method, await request.json()]);
    return new Response("no", { status: 503 });
  });
  using hold = new Hold();
  const { port } = server.addr as Deno.NetAddr;
  using _place = hold.enter({ for: 60_000, clients: 1, wake: `http://127.0.0.1:${port}/wake` }, CALL);
  await until(() => log.lines("it answered 503").length === 1, "the answer is logged");
  assertEquals(bodies, [["POST", { ...CALL }]]);
});

Deno.test("a webhook that cannot be reached is logged with the reason, and without secrets", async () => {
  using log = captureLog();
  using hold = new Hold();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const wake = `http://u:secret@127.0.0.1:${port}/wake?secret`;
  using _place = hold.enter({ for: 60_000, clients: 1, wake }, CALL);
  await until(() => log.lines("Connection refused").length === 1, "the failure is logged");
  assert(log.lines(`http://127.0.0.1:${port}/wake`).length === 2);
  assertEquals(log.lines("secret"), []);
});

Deno.test("close ends every wait, and no further connection is held", async () => {
  const test = holdWith();
  const place = test.hold.enter({ for: 60_000, clients: 2 }, CALL);
  const turn = place?.turn();
  test.hold[Symbol.dispose]();
  assertEquals([await turn, await place?.turn()], [false, false]);
  place?.[Symbol.dispose]();
  assertEquals(test.hold.enter({ for: 60_000, clients: 2 }, CALL), undefined);
});
