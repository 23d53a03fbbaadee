/** The reason of each ending, and the side that ended the connection. Endings by faults are in tests/faults/. */

import { encodeFrame, encodeId, FrameType } from "../../lib/frame/tlv.ts";
import { assertEquals } from "../assert.ts";
import { ID, receive, receiveAll, send } from "../bytes.ts";
import { connectResetting, reset, startResetting } from "../relay/resetting.ts";
import { until } from "../wait.ts";
import { type Ending, relayed, sends, start, testEndings, untilEnded, waits } from "./endings.ts";

const RELAYED: Ending[] = [
  {
    name: "the client finishes",
    async end(balanced) {
      using client = await relayed(balanced);
      await client.closeWrite();
      await receiveAll(client);
    },
    expected: ["client_fin by client"],
  },
  {
    name: "the upstream finishes",
    upstream: (conn) => receive(conn, ID.length).then((id) => send(conn, id)),
    async end(balanced) {
      using client = await relayed(balanced);
      await receiveAll(client);
    },
    expected: ["upstream_fin by upstream"],
  },
  {
    name: "the client resets",
    async end({ port, endings }) {
      const client = await connectResetting(port);
      const answered = new Promise((resolve) => client.once("data", resolve));
      client.write(ID);
      await answered;
      await reset(client);
      await until(() => endings.length > 0, "the reset is noticed");
    },
    expected: ["client_reset by client"],
  },
  { name: "nothing moves", changes: { timeouts: { idle: 200 } }, end: waits, expected: ["idle by balancer"] },
  {
    name: "the client finishes and there is no traffic the other way",
    changes: { timeouts: { half_close: 200 } },
    // answers, and keeps its own direction open
    upstream: async (conn, ended) => {
      await send(conn, await receive(conn, ID.length));
      await receiveAll(conn);
      await ended;
    },
    async end(balanced) {
      using client = await relayed(balanced);
      await client.closeWrite();
      await receiveAll(client);
    },
    expected: ["idle by balancer"],
  },
  {
    name: "the balancer drains",
    changes: { timeouts: { drain: 100 } },
    async end(balanced) {
      using _client = await relayed(balanced);
      await balanced.balancer.drain();
    },
    expected: ["drain by balancer"],
  },
  {
    name: "an operator ends it",
    async end(balanced) {
      using client = await relayed(balanced);
      await balanced.balancer.engine.terminate({ id: "1" }, { reason: "kicked", closedBy: "balancer" });
      await receiveAll(client);
    },
    expected: ["kicked by balancer"],
  },
];

const REFUSED: Ending[] = [
  { name: "an unknown frame type", end: sends(9, 0, 0, 0, 1), expected: ["BAD_FRAME by balancer"] },
  { name: "an empty ID", end: sends(1, 0, 0, 0, 0), expected: ["BAD_FRAME by balancer"] },
  { name: "a length over the cap", end: sends(1, 255, 255, 255, 255), expected: ["BAD_FRAME by balancer"] },
  { name: "an ID that is not UTF-8", end: sends(1, 0, 0, 0, 1, 0xff), expected: ["BAD_FRAME by balancer"] },
  {
    name: "DATA first",
    end: sends(encodeFrame(FrameType.DATA, Uint8Array.of(1))),
    expected: ["ID_EXPECTED by balancer"],
  },
  {
    name: "an ERROR frame first",
    end: sends(encodeFrame(FrameType.ERROR, Uint8Array.of(0, 4))),
    expected: ["ID_EXPECTED by balancer"],
  },
  {
    name: "half an ID",
    changes: { timeouts: { id: 200 } },
    end: sends(ID.subarray(0, 4)),
    expected: ["ID_TIMEOUT by balancer"],
  },
  { name: "an unknown ID", end: sends(encodeId("2")), expected: ["UNKNOWN_ID by balancer"] },
  {
    name: "a name that does not resolve",
    changes: { routes: [{ id: "1", host: "nowhere.invalid", port: 9 }] },
    end: sends(ID),
    expected: ["UPSTREAM_UNAVAILABLE by balancer"],
  },
  {
    name: "an ID with too many connections",
    changes: { limits: { connections_per_id: 1 } },
    async end(balanced) {
      using client = await relayed(balanced);
      await sends(ID)(balanced);
      await untilEnded(balanced, 1);
      await client.closeWrite();
      await receiveAll(client);
    },
    expected: ["LIMIT_EXCEEDED by balancer", "client_fin by client"],
  },
  {
    name: "an ID that connects again and replaces itself",
    changes: { duplicate_id: "replace" },
    async end(balanced) {
      using first = await relayed(balanced);
      using second = await relayed(balanced);
      await receiveAll(first);
      await untilEnded(balanced, 1);
      await second.closeWrite();
      await receiveAll(second);
    },
    expected: ["REPLACED by balancer", "client_fin by client"],
  },
  {
    name: "an address that is denied",
    changes: { deny: ["127.0.0.0/8"] },
    async end({ connect }) {
      using client = await connect();
      await receiveAll(client);
    },
    expected: ["FORBIDDEN by balancer"],
  },
  {
    name: "a client that connects while the balancer drains",
    changes: { timeouts: { drain: 5000 } },
    async end(balanced) {
      using client = await relayed(balanced);
      const drained = balanced.balancer.drain();
      await sends(ID)(balanced);
      await untilEnded(balanced, 1);
      await client.closeWrite();
      await receiveAll(client);
      await drained;
    },
    expected: ["SHUTTING_DOWN by balancer", "client_fin by client"],
  },
  {
    name: "a connection without data",
    async end({ connect, endings }) {
      (await connect()).close();
      await until(() => endings.length === 1, "it is over");
    },
    expected: ["probe by client"],
  },
];

testEndings([...RELAYED, ...REFUSED]);

Deno.test("the upstream resets: upstream_reset by upstream", async () => {
  await using upstream = await startResetting();
  await using balanced = start({ routes: [{ id: "1", host: "127.0.0.1", port: upstream.port }] });
  using client = await balanced.connect();
  await send(client, ID);
  await reset(await upstream.reached());
  await receiveAll(client).catch(() => {});
  await until(() => balanced.balancer.active === 0, "the connection is accounted for");
  assertEquals(balanced.endings, ["upstream_reset by upstream"]);
});

Deno.test("an upstream that refuses: UPSTREAM_UNAVAILABLE by balancer", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await using balanced = start({ routes: [{ id: "1", host: "127.0.0.1", port }] });
  await sends(ID)(balanced);
  await until(() => balanced.balancer.active === 0, "the connection is accounted for");
  assertEquals(balanced.endings, ["UPSTREAM_UNAVAILABLE by balancer"]);
});
