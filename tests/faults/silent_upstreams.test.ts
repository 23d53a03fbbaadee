/** Upstreams that never answer a connect: every dial is cancelled at its deadline. */

import type { Connect } from "../../lib/upstream/dialer.ts";
import { encodeId } from "../../lib/frame/tlv.ts";
import { assertEquals, assertGreater } from "../assert.ts";
import { receiveAll, send } from "../bytes.ts";
import { refusalCode } from "../clients.ts";
import { configTo, startBalancer } from "../fixture.ts";
import { pause } from "../wait.ts";
import { startSilent } from "../silent.ts";
import { SHOWS_SOCKETS, synSent } from "../sockets.ts";

const CLIENTS = 50;
const UPSTREAM_UNAVAILABLE = 5;

/** Loopback addresses in place of those of a name. */
const SIX = Array.from({ length: 6 }, (_, index) => `127.0.0.${index + 1}`);

const CASES = [
  { name: "a name with six silent addresses", host: "n1.example.com", addresses: SIX },
  { name: "a name with one silent address", host: "n1.example.com", addresses: SIX.slice(0, 1) },
  { name: "a silent address", host: "127.0.0.1", addresses: [] },
];

/** Asserts that a burst of clients whose route goes to `host` leaves no connect behind. */
async function burst({ name, host, addresses }: typeof CASES[number]): Promise<void> {
  using silent = await startSilent();
  let dialed = 0;
  const connect: Connect = (options) => {
    dialed += 1;
    return Deno.connect({ ...options, hostname: "127.0.0.1" });
  };
  const routes = [{ id: "1", host, port: silent.port }];
  await using balancer = startBalancer(
    configTo(silent.port, { routes, timeouts: { connect: 400 } }),
    { connect, lookup: () => Promise.resolve(addresses) },
  );
  const received = Array.from({ length: CLIENTS }, async () => {
    using client = await balancer.connect();
    await send(client, encodeId("1"));
    return refusalCode(await receiveAll(client));
  });
  assertEquals(await Promise.all(received), Array(CLIENTS).fill(UPSTREAM_UNAVAILABLE), name);
  await silent.untilCancelled();
  const tried = dialed;
  // longer than the delay between two addresses
  await pause(600);
  assertGreater(tried, 0, name);
  assertEquals([dialed, synSent(silent.port)], [tried, 0], `${name}: none is tried after the deadline`);
}

Deno.test({
  name:
    `names and addresses that are silent leave no connect behind after a burst of ${CLIENTS} clients each`,
  ignore: !SHOWS_SOCKETS,
  fn: async () => void await Promise.all(CASES.map(burst)),
});
