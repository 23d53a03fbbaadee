/** Resets while the other side reads nothing: over real sockets, with sweeps whose time the test sets. */

import { relay } from "../../lib/relay/relay.ts";
import { STALLED_MS, sweepRelays } from "../../lib/relay/sweep.ts";
import { newFlow } from "../../lib/transport/duplex.ts";
import { type Socket, TcpDuplex } from "../../lib/transport/tcp.ts";
import { assert, assertEquals } from "../assert.ts";
import { sha256 } from "../bytes.ts";
import { overEach } from "../fixture.ts";
import { pause, until } from "../wait.ts";
import { startRelay } from "./stalled.ts";

for (const side of ["client", "upstream"] as const) {
  const other = side === "client" ? "upstream" : "client";

  overEach(`a reset of the ${side} is noticed while the ${other} reads nothing`, async (transport) => {
    await using relayed = await startRelay(transport);
    await relayed.stall(side);
    await relayed.reset(side);
    assertEquals((await relayed.sweepToEnd()).reason, `${side}_reset`);
  });

  overEach(`a reset of the ${side} is noticed while neither side reads anything`, async (transport) => {
    await using relayed = await startRelay(transport);
    await Promise.all([relayed.stall(side), relayed.stall(other)]);
    await relayed.reset(side);
    assertEquals((await relayed.sweepToEnd()).reason, `${side}_reset`);
  });
}

// EPIPE follows a FIN of either side: what the client sent ahead of its own is still delivered
Deno.test("a client that cannot be written to does not count as reset before its stream has ended", async () => {
  const closed = Promise.withResolvers<never>();
  const [up, down] = [newFlow(), newFlow()];
  let heard: Error = new Deno.errors.BrokenPipe("shut down for sending");
  const stub = (socket: Partial<Socket>): Socket => ({
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
  assertEquals(await Promise.race([ending, "open"]), "open");
  heard = new Deno.errors.ConnectionReset("reset");
  await sweep();
  assertEquals((await ending).reason, "client_reset");
});

overEach("a pause of the receiver loses no byte and ends nothing", async (transport) => {
  await using relayed = await startRelay(transport);
  const { client, up, down } = relayed;
  const sent = await relayed.stall("client");
  await relayed.sweep();
  const received = relayed.received();
  await until(() => up.written === sent.length, "all is delivered");
  client.destroy();
  await until(() => up.finished || transport === "websocket", "the end is there");
  assertEquals(await sha256(await received), await sha256(sent));
  assertEquals(down.read, 0);
});
