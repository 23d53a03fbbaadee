/** A relay whose ends read nothing, so that it stalls and can be reset. */

import type { Socket } from "node:net";
import { relay } from "../../lib/relay/relay.ts";
import { STALLED_MS, sweepRelays } from "../../lib/relay/sweep.ts";
import { type Flow, newFlow, type Transport } from "../../lib/transport/duplex.ts";
import { TcpDuplex } from "../../lib/transport/tcp.ts";
import { WebSocketDuplex } from "../../lib/transport/websocket/duplex.ts";
import { concat, noise } from "../bytes.ts";
import { pause, until } from "../wait.ts";
import { connectResetting, reset, untilStill } from "./resetting.ts";

const MIB = 1 << 20;

type Side = "client" | "upstream";

/** Header of a client's binary message that is longer than any test, with a masking key of zeros. */
const ENDLESS = Uint8Array.of(0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0);

/** A socket of node:net, and the other end of it. */
async function pair() {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [near, conn] = await Promise.all([connectResetting(listener.addr.port), listener.accept()]);
  near.pause();
  return { near, conn };
}

/** A relay between two sockets that read nothing before a test has them do so. */
export async function startRelay(transport: Transport) {
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
    up,
    down,
    /** Writes bytes that the other side does not read, until the relay stalls. */
    stall: (side: Side) => side === "client" ? stall(a.near, up) : stall(b.near, down),
    reset: (side: Side) => reset(side === "client" ? a.near : b.near),
    client: a.near,
    /** Everything that the upstream receives up to the end, which may be a reset. */
    received: () => receive(b.near),
    /** As many sweeps as it usually takes to notice a stall or a reset. Their time is set, so none waits. */
    async sweep(): Promise<void> {
      for (let times = 0; times < 10; times++) {
        sweepRelays(now += STALLED_MS);
        await pause(5);
      }
    },
    /** Sweeps until the relay ends: on a busy machine a reset takes a while to be noticed. Resolves to the ending. */
    async sweepToEnd() {
      await until(() => (sweepRelays(now += STALLED_MS), ended), "the relay ends");
      return await ending;
    },
    async [Symbol.asyncDispose]() {
      for (const near of [a.near, b.near]) near.destroy();
      for (const duplex of [client, upstream]) duplex.close();
      await ending;
    },
  };
}

/** Writes until this direction of the relay stalls. Returns what it has written. */
async function stall(sender: Socket, flow: Flow): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = noise(24 * MIB);
  sender.write(bytes);
  // on a busy machine nothing may move for a while before the relay stalls
  for (let tries = 0; tries < 20; tries++) {
    await untilStill(() => flow.read, "the relay stalls");
    if (flow.read > flow.written) return bytes;
  }
  throw new Error("no bytes wait for the receiver");
}

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
