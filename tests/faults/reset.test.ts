/** A reset (RST) from either side, sent by sockets of node:net, since those of Deno cannot send one. */

import { connect as connectTls } from "node:tls";
import { STALLED_MS, sweepRelays } from "../../lib/relay/sweep.ts";
import { assert, assertEquals } from "../assert.ts";
import { Certificate, hasOpenssl } from "../certificates.ts";
import { concat, ID, receive, receiveAll, send } from "../bytes.ts";
import { configTo, startBalancer, startPath } from "../fixture.ts";
import { until } from "../wait.ts";
import { captureLog } from "../serving.ts";
import { connectResetting, reset, sendOn, startResetting, untilStill } from "../relay/resetting.ts";

const MIB = 1 << 20;

/** Longest time for a reset to reach the other side, in milliseconds: a second, and two more on a busy machine. */
const PASSED_ON_MS = 3000;

/** Sweeps, each time late enough for a stall to be probed, until no connection is left. */
async function sweepUntilEnded(
  { balancer }: Pick<ReturnType<typeof startBalancer>, "balancer">,
): Promise<void> {
  let now = performance.now();
  await until(() => {
    sweepRelays(now += STALLED_MS);
    return balancer.active === 0;
  }, "the connection is accounted for");
}

/** How long `ending` takes, whether it succeeds or fails. */
async function timeOf(ending: Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await ending.catch(() => {});
  return performance.now() - begun;
}

/** A client that has reached an upstream, whose socket a test can reset. */
async function startReached() {
  const upstream = await startResetting();
  const balancer = startBalancer(configTo(upstream.port));
  const client = await balancer.connect();
  await send(client, ID);
  return {
    balancer,
    client,
    socket: await upstream.reached(),
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await balancer[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a client's reset mid-stream ends its upstream, and is the log's reason", async () => {
  using log = captureLog();
  const reached = Promise.withResolvers<void>();
  let took = Infinity;
  await using balancer = startPath(async (conn) => {
    await receive(conn, ID.length + MIB);
    reached.resolve();
    took = await timeOf(receiveAll(conn));
  });
  const client = await connectResetting(balancer.port);
  client.write(concat(ID, new Uint8Array(MIB)));
  await reached.promise;
  await reset(client);
  await until(() => balancer.balancer.active === 0, "the connection is accounted for");
  await until(() => took < Infinity, "the upstream has seen the end");
  assert(took < PASSED_ON_MS, `passed on after ${took} ms`);
  assertEquals(log.reasons(), ["client_reset"]);
});

Deno.test("an upstream's reset mid-stream ends its client, and is the log's reason", async () => {
  using log = captureLog();
  await using path = await startReached();
  const { balancer, client, socket } = path;
  socket.write("some");
  assertEquals((await receive(client, 4)).length, 4);
  socket.resetAndDestroy();
  const took = await timeOf(receiveAll(client));
  assert(took < PASSED_ON_MS, `passed on after ${took} ms`);
  await until(() => balancer.balancer.active === 0, "the connection is accounted for");
  assertEquals(log.reasons(), ["upstream_reset"]);
});

Deno.test("a client that resets while it reads nothing ends an upstream that it holds up", async () => {
  using log = captureLog();
  let sent = 0;
  let failed = false;
  await using balancer = startPath(async (conn) => {
    try {
      for (;;) sent += await conn.write(new Uint8Array(64 << 10));
    } catch (error) {
      failed = true;
      throw error;
    }
  });
  const client = await connectResetting(balancer.port);
  client.pause();
  client.write(ID);
  await untilStill(() => sent, "the upstream is held up");
  await reset(client);
  await until(() => failed && balancer.balancer.active === 0, "the upstream is released", PASSED_ON_MS);
  assertEquals(log.reasons(), ["client_reset"]);
});

Deno.test("an upstream that resets while it reads nothing ends a client that it holds up", async () => {
  using log = captureLog();
  await using path = await startReached();
  const { balancer, client, socket } = path;
  socket.pause();
  let sent = 0;
  let failed = false;
  const sending = (async () => {
    try {
      for (;;) sent += await client.write(new Uint8Array(64 << 10));
    } catch {
      failed = true;
    }
  })();
  await untilStill(() => sent, "the client is held up");
  socket.resetAndDestroy();
  await until(() => failed && balancer.balancer.active === 0, "the client is released", PASSED_ON_MS);
  await sending;
  assertEquals(log.reasons(), ["upstream_reset"]);
});

Deno.test("a client that resets while its upstream reads nothing is noticed, with and without unread data", async () => {
  using log = captureLog();
  await using upstream = await startResetting();
  await using balancer = startBalancer(configTo(upstream.port));
  const client = await connectResetting(balancer.port);
  client.write(ID);
  (await upstream.reached()).pause();
  await untilStill(sendOn(client), "the client is held up");
  await reset(client);
  await sweepUntilEnded(balancer);
  assertEquals(log.reasons(), ["client_reset"]);
});

Deno.test({ name: "a reset is noticed behind TLS too", ignore: !hasOpenssl }, async () => {
  using log = captureLog();
  await using certificate = await Certificate.create("first");
  await using upstream = await startResetting();
  const listeners = [{ address: { host: "127.0.0.1", port: 0 }, tls: certificate.files }];
  await using balancer = startBalancer(configTo(upstream.port, { listeners }));
  const socket = await connectResetting(balancer.port);
  const client = connectTls({ socket, servername: "localhost", ca: certificate.pem });
  client.on("error", () => {});
  client.write(ID);
  (await upstream.reached()).pause();
  await untilStill(sendOn(client), "the client is held up");
  await reset(socket);
  await sweepUntilEnded(balancer);
  assertEquals(log.reasons(), ["client_reset"]);
});

Deno.test("an upstream that resets while its client reads nothing is noticed, with and without unread data", async () => {
  using log = captureLog();
  await using path = await startReached();
  const { balancer, socket } = path;
  await untilStill(sendOn(socket), "the upstream is held up");
  await reset(socket);
  await sweepUntilEnded(balancer);
  assertEquals(log.reasons(), ["upstream_reset"]);
});
