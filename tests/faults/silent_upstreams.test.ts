/** Upstreams that never answer a connect: what outlives a deadline is bounded. */

import { connectCanceller } from "../../lib/upstream/cancel.ts";
import { type Connect, UncancelledConnects } from "../../lib/upstream/dialer.ts";
import { encodeId } from "../../lib/frame/tlv.ts";
import { assertEquals, assertGreater } from "../assert.ts";
import { receiveAll, send } from "../bytes.ts";
import { refusalCode } from "../clients.ts";
import { configTo, startBalancer } from "../fixture.ts";
import { until } from "../wait.ts";
import { startSilent } from "../silent.ts";
import { SHOWS_SOCKETS, synSent } from "../sockets.ts";

const CLIENTS = 50;
const UPSTREAM_UNAVAILABLE = 5;

/** Addresses of loopback that stand for those of a name. */
const SIX = Array.from({ length: 6 }, (_, index) => `127.0.0.${index + 1}`);

const CASES = [
  { name: "a name with six silent addresses", host: "n1.example.com", addresses: SIX, most: 0 },
  {
    name: "a name with one silent address",
    host: "n1.example.com",
    addresses: SIX.slice(0, 1),
    most: UncancelledConnects.MAX,
  },
  { name: "a silent address", host: "127.0.0.1", addresses: [], most: UncancelledConnects.MAX },
];

for (const { name, host, addresses, most } of CASES) {
  Deno.test({
    name: `${name} leaves ${most || "no"} connects behind after a burst of ${CLIENTS} clients`,
    ignore: !SHOWS_SOCKETS,
    async fn() {
      using silent = await startSilent();
      let dialed = 0;
      // what the balancer does not cancel has to end before the test does
      const atTheEnd = connectCanceller();
      const connect: Connect = (options) => {
        dialed += 1;
        return Deno.connect({ signal: atTheEnd.signal, ...options, hostname: "127.0.0.1" });
      };
      await using balancer = startBalancer(
        configTo(silent.port, {
          routes: [{ id: "1", host, port: silent.port }],
          timeouts: { connect: 400 },
        }),
        { connect, lookup: () => Promise.resolve(addresses) },
      );
      const received = Array.from({ length: CLIENTS }, async () => {
        using client = await balancer.connect();
        await send(client, encodeId("1"));
        return refusalCode(await receiveAll(client));
      });
      assertEquals(await Promise.all(received), Array(CLIENTS).fill(UPSTREAM_UNAVAILABLE));
      await until(() => synSent(silent.port) <= most, `all connects but ${most} are cancelled`);
      const tried = dialed;
      // longer than the delay between two addresses
      await new Promise((resolve) => setTimeout(resolve, 600));
      assertGreater(tried, 0);
      assertEquals(dialed, tried, "no address is tried after the deadline");
      atTheEnd.abort();
      await until(() => synSent(silent.port) === 0, "the others have ended");
    },
  });
}
