/** Many reloads, and a large one, while connections are open. */

import { encodeId } from "../../lib/frame/tlv.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { pause } from "../wait.ts";
import { noise, receive, receiveAll, send } from "../bytes.ts";
import { type Client, named } from "../clients.ts";
import { configTo, overEach, startBalancer } from "../fixture.ts";
import { count, LISTENERS, replace, routeTo, said, serve } from "../serving.ts";
import { sized } from "../soak.ts";
import { startEcho, startNamed } from "../upstreams.ts";

const ROUTES = sized(100_000, 0.05);
const RELOADS = sized(1000, 0.05);
const SIGNALS = sized(100, 0.3);

Deno.test("a storm of 500 SIGHUPs coalesces, and the last version wins", async () => {
  await using first = startNamed("first");
  await using last = startNamed("last");
  await using serving = await serve(routeTo(first.port));
  for (let round = 0; round < 500; round++) {
    if (round === 250) await replace(serving, LISTENERS + routeTo(last.port));
    serving.balancer.signal("SIGHUP");
  }
  await said(serving, "1 changed");
  assertEquals(await named(serving, "1"), "last");
  assert(count(serving, "reloaded") < 500, "not one reload a signal");
  assertEquals(await serving.balancer.end(), 0);
});

/** Short connections, and streams, until it is stopped. Rejects if one of them breaks. */
function startLoad(connect: () => Promise<Client>) {
  const id = encodeId("1");
  const block = noise(8 << 10);
  let stopped = false;
  const hello = async (client: Client) => {
    await send(client, id);
    assertEquals(await receive(client, id.length), id);
  };
  const connecting = async (): Promise<number> => {
    let served = 0;
    for (; !stopped; served++) {
      using client = await connect();
      await hello(client);
    }
    return served;
  };
  const streaming = async (): Promise<number> => {
    using client = await connect();
    await hello(client);
    let blocks = 0;
    for (; !stopped; blocks++) {
      await send(client, block);
      assertEquals((await receive(client, block.length)).toBase64(), block.toBase64());
    }
    await client.closeWrite();
    assertEquals((await receiveAll(client)).length, 0);
    return blocks;
  };
  const running = [connecting(), connecting(), ...Array.from({ length: 6 }, streaming)];
  return {
    async stop() {
      stopped = true;
      return await Promise.all(running);
    },
  };
}

overEach(`${RELOADS} reloads under load: no connection fails or breaks`, async (transport) => {
  await using upstream = startEcho();
  const config = configTo(upstream.port);
  await using balancer = startBalancer(config);
  const load = startLoad(() => balancer.connectOver(transport));
  for (let reload = 1; reload <= RELOADS; reload++) {
    const other = { id: `x${reload}`, host: "127.0.0.1", port: 9, on_removal: "close" as const };
    const change = await balancer.balancer.reload({ ...config, routes: [...config.routes, other] });
    assertEquals([change.added, change.removed], [1, reload === 1 ? 0 : 1]);
    await pause(0);
  }
  assert((await load.stop()).every((count) => count > 0));
});

overEach("SIGHUPs and new files under load: no connection fails or breaks", async (transport) => {
  await using upstream = startEcho();
  const table = (more: string) => `${LISTENERS}${routeTo(upstream.port)}${more}log: { access: false }\n`;
  await using serving = await serve("", { text: table("") });
  const load = startLoad(() => serving.connectOver(transport));
  const few = () => count(serving, "reloaded") <= SIGNALS / 10;
  // on a busy machine more signals than usual are coalesced
  for (let round = 1; round <= SIGNALS || (few() && round <= 100 * SIGNALS); round++) {
    if (round % 5 === 0) await replace(serving, table(`default: { host: 127.0.0.1, port: ${round} }\n`));
    serving.balancer.signal("SIGHUP");
    await pause(5);
  }
  assert((await load.stop()).every((count) => count > 0));
  assert(!few());
  assertEquals(await serving.balancer.end(), 0);
});

Deno.test(`a table of ${ROUTES} routes is swapped while round trips continue`, async () => {
  await using upstream = startEcho();
  await using serving = await serve(routeTo(upstream.port));
  const routes = Array.from(
    { length: ROUTES },
    (_, index) => `  - { id: d${index}, host: n1.example.com, port: 7 }\n`,
  );
  const last = `  - { id: last, host: 127.0.0.1, port: ${upstream.port} }\n`;
  using client = await serving.connect();
  await send(client, encodeId("1"));
  await receive(client, encodeId("1").length);
  await replace(serving, `${LISTENERS}routes:\n${routes.join("")}${last}`);
  let longest = 0;
  const begun = performance.now();
  while (count(serving, "reloaded") === 0) {
    const start = performance.now();
    await send(client, Uint8Array.of(1));
    assertEquals((await receive(client, 1)).length, 1);
    longest = Math.max(longest, performance.now() - start);
    await pause(1);
  }
  assertStringIncludes(serving.balancer.stderr.text, `${ROUTES + 1} routes added, 0 changed, 1 removed`);
  using late = await serving.connect();
  await send(late, encodeId("last"));
  assertEquals(await receive(late, encodeId("last").length), encodeId("last"));
  // nearly all of the time if the serving thread parsed the file; less than a hundredth of it here
  const took = performance.now() - begun;
  assert(longest < took / 3, `a round trip took ${longest} ms of ${took}`);
});
