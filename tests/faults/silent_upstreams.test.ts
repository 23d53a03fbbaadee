/** Upstreams that never answer a connect: nothing of a dial outlives its deadline. */

import type { Connect } from "../../lib/upstream/dialer.ts";
import { encodeId } from "../../lib/frame/tlv.ts";
import { assertEquals, assertGreater } from "../assert.ts";
import { receiveAll, send } from "../bytes.ts";
import { refusalCode } from "../clients.ts";
import { configTo, startBalancer } from "../fixture.ts";
import { pause, until } from "../wait.ts";
import { startSilent } from "../silent.ts";
import { SHOWS_SOCKETS, synSent } from "../sockets.ts";

const CLIENTS = 50;
const UPSTREAM_UNAVAILABLE = 5;

/** Addresses of loopback that stand for those of a name. */
const SIX = Array.from({ length: 6 }, (_, index) => `127.0.0.${index + 1}`);

const CASES = [
  { name: "a name with six silent addresses", host: "n1.example.com", addresses: SIX },
  { name: "a name with one silent address", host: "n1.example.com", addresses: SIX.slice(0, 1) },
  { name: "a silent address", host: "127.0.0.1", addresses: [] },
];

for (const { name, host, addresses } of CASES) {
  Deno.test({
    name: `${name} leaves no connect behind after a burst of ${CLIENTS} clients`,
    ignore: !SHOWS_SOCKETS,
    async fn() {
      using silent = await startSilent();
      let dialed = 0;
      const connect: Connect = (options) => {
        dialed += 1;
        return Deno.connect({ ...options, hostname: "127.0.0.1" });
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
      await until(() => synSent(silent.port) === 0, "every connect is cancelled");
      const tried = dialed;
      // longer than the delay between two addresses
      await pause(600);
      assertGreater(tried, 0);
      assertEquals([dialed, synSent(silent.port)], [tried, 0], "no address is tried after the deadline");
    },
  });
}
