/** Open files and memory of a balancer in a process of its own. */

import { assert, assertEquals } from "../assert.ts";
import type { Running } from "../e2e/processes.ts";
import { routeTo, serve } from "../serving.ts";
import { ID, receive, receiveAll, send } from "../bytes.ts";
import { startEcho } from "../upstreams.ts";
import { until } from "../wait.ts";
import { sized } from "../soak.ts";

const ANNOUNCING = sized(500, 0.2);
const CONNECTIONS = sized(20_000, 0.05);

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function openFiles({ pid }: Running): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** Resident memory in bytes. */
function resident({ pid }: Running): number {
  const [, kib = NaN] = /VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`)) ?? [];
  return Number(kib) * 1024;
}

const ignore = Deno.build.os !== "linux";

Deno.test({
  name: `after ${CONNECTIONS} complete connections no more files are open than before`,
  ignore,
  async fn() {
    await using upstream = startEcho();
    await using serving = await serve(routeTo(upstream.port));
    const { balancer, connect } = serving;
    const clientsInTurn = async (rounds: number) => {
      for (let round = 0; round < rounds; round++) {
        using client = await connect();
        await send(client, ID);
        await client.closeWrite();
        // as text, which includes the reason of an ERROR frame
        assertEquals(decode(await receiveAll(client)), decode(ID));
      }
    };
    await clientsInTurn(1);
    const before = openFiles(balancer);
    await Promise.all(Array.from({ length: 20 }, () => clientsInTurn(CONNECTIONS / 20)));
    await until(() => openFiles(balancer) <= before, "every socket is released");
  },
});

Deno.test({
  name: `${ANNOUNCING} clients that announce 2^32-1 bytes cost little memory`,
  ignore,
  async fn() {
    await using serving = await serve(routeTo(9));
    const { balancer, connect } = serving;
    const before = resident(balancer);
    for (let index = 0; index < ANNOUNCING; index++) {
      using client = await connect();
      await send(client, Uint8Array.of(1, 255, 255, 255, 255));
      assertEquals((await receive(client, 1))[0], 3);
    }
    // one allocation by the length field would be 4 GiB; warming up takes some MiB in any case
    const grown = resident(balancer) - before;
    assert(grown < 64 << 20, `resident memory grew by ${grown} bytes`);
  },
});
