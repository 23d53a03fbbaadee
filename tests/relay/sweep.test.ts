/** Resets while the other side takes nothing: over real sockets, with sweeps whose time the test sets. */

import type { Socket } from "node:net";
import { newFlow, type Transport } from "../../lib/transport/duplex.ts";
import { type Socket as DuplexSocket, TcpDuplex } from "../../lib/transport/tcp.ts";
import { WebSocketDuplex } from "../../lib/transport/websocket/duplex.ts";
import { relay } from "../../lib/relay/relay.ts";
import { STALLED_MS, sweepRelays } from "../../lib/relay/sweep.ts";
import { assert, assertEquals } from "../assert.ts";
import { concat, noise, sha256 } from "../bytes.ts";
import { overEach } from "../fixture.ts";
import { pause, until } from "../wait.ts";
import { connectResetting, reset, untilStill } from "./resetting.ts";

const MIB = 1 << 20;

/** Header of a client's binary message that is longer than any test, with a masking key of zeros. */
const ENDLESS = Uint8Array.of(0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0);

/** A socket that a test holds, and the other end of it. */
async function pair() {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [near, conn] = await Promise.all([connectResetting(listener.addr.port), listener.accept()]);
  near.pause();
  return { near, conn };
}

/** A relay between two sockets that read nothing until they are told to. */
async function startRelay(transport: Transport) {
  const [a, b] = [await pair(), await pair()];
  const accepted = new TcpDuplex(a.conn);
  const client = transport === "tcp" ? accepted : new WebSocketDuplex(accepted, "server");
  const upstream = new TcpDuplex(b.conn);
  const [up, down] = [newFlow(), newFlow()];
  let ended = false;
  const ending = relay(client, upstream, up, down).finally(() => ended = true);
  if (transport === "websocket") a.near.write(ENDLESS);
  let now = performance.now();
  return {
    client: a.near,
    upstream: b.near,
    up,
    down,
    ending,
    /** As many sweeps as it takes to notice what can be noticed, and no time. */
    async sweep(): Promise<void> {
      for (let times = 0; times < 10 && !ended; times++) {
        sweepRelays(now += STALLED_MS);
        await pause(5);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const near of [a.near, b.near]) near.destroy();
      for (const duplex of [client, upstream]) duplex.close();
      await ending;
    },
  };
}

type Relay = Awaited<ReturnType<typeof startRelay>>;

/** Has `sender` send until the relay is held up. */
async function stall(sender: Socket, flow: Relay["up"]): Promise<void> {
  sender.write(noise(24 * MIB));
  // on a busy machine nothing may move for a while before the relay is held up
  for (let tries = 0; tries < 20; tries++) {
    await untilStill(() => flow.read, "the relay is held up");
    if (flow.read > flow.written) return;
  }
  throw new Error("no bytes wait for the receiver");
}

for (const side of ["client", "upstream"] as const) {
  const other = side === "client" ? "upstream" : "client";
  const flow = side === "client" ? "up" : "down";
  const back = side === "client" ? "down" : "up";

  overEach(`a reset of the ${side} is noticed while the ${other} takes nothing`, async (transport) => {
    await using relayed = await startRelay(transport);
    await stall(relayed[side], relayed[flow]);
    await reset(relayed[side]);
    await relayed.sweep();
    assertEquals((await relayed.ending).reason, `${side}_reset`);
  });

  overEach(`a reset of the ${side} is noticed while neither side takes anything`, async (transport) => {
    await using relayed = await startRelay(transport);
    await Promise.all([stall(relayed[side], relayed[flow]), stall(relayed[other], relayed[back])]);
    await reset(relayed[side]);
    await relayed.sweep();
    assertEquals((await relayed.ending).reason, `${side}_reset`);
  });
}

// EPIPE comes of a FIN that was sent before, by either side: what came ahead of the client's own is still delivered
Deno.test("a client that cannot be written to is not taken for one that has reset before its end", async () => {
  const closed = Promise.withResolvers<never>();
  const [up, down] = [newFlow(), newFlow()];
  let heard: Error = new Deno.errors.BrokenPipe("shut down for sending");
  const stub = (socket: Partial<DuplexSocket>): DuplexSocket => ({
    read: () => Promise.resolve(null),
    write: () => closed.promise,
    closeWrite: () => Promise.resolve(),
    setNoDelay: () => {},
    [Symbol.dispose]: () => closed.reject(new Deno.errors.Interrupted("closed")),
    ...socket,
  });
  const client = stub({ read: () => Promise.resolve(1), write: () => Promise.reject(heard) });
  const ending = relay(new TcpDuplex(client), new TcpDuplex(stub({})), up, down);
  const sweep = async () => {
    for (let times = 1; times < 4; times++) sweepRelays(performance.now() + times * STALLED_MS);
    await pause(5);
  };
  await sweep();
  assert(down.finished && up.read > up.written, "half-closed and stalled");
  await sweep();
  assertEquals(await Promise.race([ending, "goes on"]), "goes on");
  heard = new Deno.errors.ConnectionReset("reset");
  await sweep();
  assertEquals((await ending).reason, "client_reset");
});

overEach("a pause of the receiver costs no byte and ends nothing", async (transport) => {
  await using relayed = await startRelay(transport);
  const { client, upstream, up, down } = relayed;
  const sent = noise(24 * MIB);
  client.write(sent);
  await untilStill(() => up.read, "the relay is held up");
  await relayed.sweep();
  const received = receive(upstream);
  await until(() => up.written === sent.length, "all is delivered");
  client.destroy();
  await until(() => up.finished || transport === "websocket", "the end is there");
  assertEquals(await sha256(await received), await sha256(sent));
  assertEquals(down.read, 0);
});

/** Everything up to the end, which may be a reset. */
async function receive(socket: Socket): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  const ended = new Promise<void>((resolve) => {
    for (const event of ["end", "close"]) socket.once(event, () => resolve());
  });
  socket.resume();
  await ended;
  return concat(...chunks);
}
