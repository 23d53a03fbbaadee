import { assert, assertEquals, assertGreater, assertRejects, assertStringIncludes } from "../assert.ts";
import { concat, ID, noise, receive, receiveAll, send, sha256 } from "../bytes.ts";
import { type Client, refusalCode } from "../clients.ts";
import { configTo, overEach, startBalancer, startEchoing } from "../fixture.ts";
import { sized } from "../soak.ts";
import { startEcho, startUpstream } from "../upstreams.ts";
import { until } from "../wait.ts";
import { captureLog, routeTo, serve } from "../serving.ts";

const SHUTTING_DOWN = 7;
const STREAMS = sized(200, 0.4);

/** A client whose ID has come back from an echoing upstream. */
async function streaming<T extends Client>(connect: () => Promise<T>): Promise<T> {
  const client = await connect();
  await send(client, ID);
  assertEquals(await receive(client, ID.length), ID);
  return client;
}

overEach(
  `SIGTERM while ${STREAMS} streams run: every byte arrives, new clients are refused, exit status 0`,
  async (transport) => {
    await using upstream = startEcho();
    await using serving = await serve(
      `${routeTo(upstream.port)}timeouts: { drain: 20s }\nlog: { access: false }\n`,
    );
    const { balancer } = serving;
    const connect = () => serving.connectOver(transport);
    const clients = await Promise.all(Array.from({ length: STREAMS }, () => streaming(connect)));
    const payload = noise(256 << 10);
    const expected = await sha256(payload);
    const half = payload.length / 2;
    const stream = async (client: Client) => {
      const received = receiveAll(client);
      await send(client, payload.subarray(0, half));
      await drained.promise;
      await send(client, payload.subarray(half));
      await client.closeWrite();
      assertEquals(await sha256(await received), expected);
      client.close();
    };
    const drained = Promise.withResolvers<void>();
    const streams = clients.map(stream);
    balancer.signal("SIGTERM");
    await balancer.stderr.until("draining");
    for (let round = 0; round < 3; round++) {
      using late = await connect();
      await send(late, concat(ID, noise(1000)));
      assertEquals(refusalCode(await receiveAll(late)), SHUTTING_DOWN);
    }
    drained.resolve();
    await Promise.all(streams);
    assertEquals(await balancer.status(), 0);
    await assertRejects(serving.connect, Deno.errors.ConnectionRefused);
  },
);

Deno.test("a second signal ends a drain at once, with exit status 1", async () => {
  await using upstream = startEcho();
  await using serving = await serve(routeTo(upstream.port));
  using client = await streaming(serving.connect);
  serving.balancer.signal("SIGTERM");
  await serving.balancer.stderr.until("draining");
  const asked = performance.now();
  serving.balancer.signal("SIGINT");
  assertEquals(await serving.balancer.status(), 1);
  assert(performance.now() - asked < 10_000, "timeouts.drain is 30 s");
  assertEquals(await client.read(new Uint8Array(1)), null);
});

Deno.test("without connections a signal ends it at once, with exit status 0", async () => {
  await using serving = await serve(routeTo(9));
  const asked = performance.now();
  assertEquals(await serving.balancer.end(), 0);
  assert(performance.now() - asked < 5000, "timeouts.drain is 30 s");
});

Deno.test("a stuck stream is ended when timeouts.drain is over, with exit status 0", async () => {
  await using upstream = startEcho();
  await using serving = await serve(`${routeTo(upstream.port)}timeouts: { drain: 400ms }\n`);
  using client = await streaming(serving.connect);
  const asked = performance.now();
  serving.balancer.signal("SIGTERM");
  assertEquals(await serving.balancer.status(), 0);
  assertGreater(performance.now() - asked, 390);
  assertEquals(await client.read(new Uint8Array(1)), null);
  assertStringIncludes(serving.balancer.stderr.text, "reason=drain");
  assertStringIncludes(serving.balancer.stderr.text, "1 connections were closed");
});

overEach(
  "at the end of a drain a client that got nothing from its upstream gets SHUTTING_DOWN",
  async (transport) => {
    // it reads, so unread data of the client does not keep the ERROR frame from arriving
    await using upstream = startUpstream(async (conn) => void await receiveAll(conn));
    await using balancer = startBalancer(configTo(upstream.port, { timeouts: { drain: 100 } }));
    using silent = await balancer.connectOver(transport);
    await send(silent, concat(ID, noise(1 << 20)));
    using unnamed = await balancer.connect();
    await until(() => balancer.balancer.active === 2, "both are accepted");
    const draining = balancer.balancer.drain();
    assertEquals(refusalCode(await receiveAll(silent)), SHUTTING_DOWN);
    assertEquals(refusalCode(await receiveAll(unnamed)), SHUTTING_DOWN);
    assertEquals(await draining, 2);
  },
);

Deno.test("at the end of a drain nothing is written into a stream that has started", async () => {
  await using balancer = startEchoing({ timeouts: { drain: 100 } });
  using client = await streaming(balancer.connect);
  const draining = balancer.balancer.drain();
  assertEquals((await receiveAll(client)).length, 0);
  assertEquals(await draining, 1);
});

Deno.test("a client that connected before the drain and is still silent is served", async () => {
  await using balancer = startEchoing({ timeouts: { drain: 10_000 } });
  using early = await balancer.connect();
  await until(() => balancer.balancer.active === 1, "it is accepted");
  const draining = balancer.balancer.drain();
  await send(early, ID);
  await early.closeWrite();
  assertEquals(await receiveAll(early), ID);
  assertEquals(await draining, 0);
});

Deno.test("a drain ends with its last connection, even if clients still try to connect", async () => {
  await using balancer = startEchoing({ timeouts: { drain: 60_000, id: 60_000 } });
  using client = await streaming(balancer.connect);
  const draining = balancer.balancer.drain();
  const mute = await balancer.connect();
  await until(() => balancer.balancer.active === 2, "the late client is accepted");
  await client.closeWrite();
  assertEquals(refusalCode(await receiveAll(mute)), SHUTTING_DOWN);
  mute.close();
  assertEquals(await draining, 0);
});

Deno.test("drain_spread ends remaining connections one by one, the last at the deadline", async () => {
  const timeouts = { drain: 800, drain_spread: 600 };
  await using balancer = startEchoing({ timeouts });
  using log = captureLog();
  const clients = await Promise.all(Array.from({ length: 30 }, () => streaming(balancer.connect)));
  const started = performance.now();
  const ends = clients.map(async (client) => {
    assertEquals((await receiveAll(client)).length, 0);
    client.close();
    return performance.now() - started;
  });
  assertEquals(await balancer.balancer.drain(), 30);
  const times = (await Promise.all(ends)).sort((a, b) => a - b);
  assertGreater(times[0] ?? 0, 195, "nothing is closed before the spread begins");
  assertGreater((times.at(-1) ?? 0) - (times[0] ?? 0), 300, "they do not end in one instant");
  assertEquals(log.reasons(), Array.from({ length: 30 }, () => "drain"));
  assert(log.lines("30 connections were closed").length === 1);
});

Deno.test("closing during a drain ends both", async () => {
  await using balancer = startEchoing({ timeouts: { drain: 60_000 } });
  using client = await streaming(balancer.connect);
  const draining = balancer.balancer.drain();
  await balancer.balancer.close();
  await draining;
  assertEquals(await client.read(new Uint8Array(1)), null);
});

Deno.test("the end of a drain does not wait for an upstream that does not answer", async () => {
  const connect = () => new Promise<Deno.TcpConn>(() => {});
  const timeouts = { drain: 100, connect: 60_000 };
  await using balancer = startBalancer(configTo(9, { timeouts }), { connect });
  using client = await balancer.connect();
  await send(client, ID);
  await until(() => balancer.balancer.active === 1, "it is accepted");
  const asked = performance.now();
  assertEquals(await balancer.balancer.drain(), 1);
  assert(performance.now() - asked < 30_000, "timeouts.connect is 60 s");
  assertEquals(refusalCode(await receiveAll(client)), SHUTTING_DOWN);
});
