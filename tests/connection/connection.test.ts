/** A connection that is terminated at any moment of its path ends. */

import { encodeId } from "../../lib/frame/tlv.ts";
import { Refusal } from "../../lib/errors.ts";
import type { Engine } from "../../lib/engine.ts";
import type { Listen } from "../../lib/listen/bind.ts";
import { assertEquals } from "../assert.ts";
import { receiveAll, send } from "../bytes.ts";
import { refusalCode } from "../clients.ts";
import { startEchoing } from "../fixture.ts";
import { until } from "../wait.ts";

/** More turns of the microtask queue than there are between two waits of the path. */
const MOMENTS = 40;

const REPLACED = new Refusal("REPLACED", "this ID has connected again");

/** Terminates every connection after `turns` turns of the microtask queue. */
async function terminateAfter(turns: number, engine: Engine): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await null;
  for (const connection of engine.registry) {
    connection.terminate({ reason: "REPLACED", closedBy: "balancer" }, REPLACED);
  }
}

/** Listens by `Deno.listen`, and calls `onRead` after each read from a client. */
function listening(onRead: () => void): Listen {
  return (options) => {
    const listener = Deno.listen(options);
    const accept = listener.accept.bind(listener);
    return Object.assign(listener, {
      async accept() {
        const conn = await accept();
        const read = conn.read.bind(conn);
        return Object.assign(conn, {
          async read(buffer: Uint8Array) {
            const count = await read(buffer);
            onRead();
            return count;
          },
        });
      },
    });
  };
}

/** Sends an ID and nothing more. Returns what the client receives until the balancer has ended the connection. */
async function silentClient(port: number): Promise<Uint8Array> {
  using client = await Deno.connect({ hostname: "127.0.0.1", port });
  const late = setTimeout(() => client.close(), 10_000);
  await send(client, encodeId("1"));
  const received = await receiveAll(client);
  clearTimeout(late);
  return received;
}

Deno.test("a connection that is terminated at any moment after its ID has arrived ends, and its client gets the reason", async () => {
  for (let turns = 0; turns < MOMENTS; turns++) {
    let isFirst = true;
    const listen = listening(() => {
      if (isFirst) void terminateAfter(turns, balancer.balancer.engine);
      isFirst = false;
    });
    await using balancer = startEchoing({}, { listen });
    assertEquals(refusalCode(await silentClient(balancer.port)), 9, `after ${turns} turns`);
    await until(() => balancer.balancer.engine.registry.active === 0, `it ends after ${turns} turns`);
  }
});

Deno.test("a connection that is terminated at any moment after its upstream answered ends", async () => {
  for (let turns = 0; turns < MOMENTS; turns++) {
    await using balancer = startEchoing({}, {
      async connect(options) {
        const conn = await Deno.connect(options);
        void terminateAfter(turns, balancer.balancer.engine);
        return conn;
      },
    });
    await silentClient(balancer.port);
    await until(() => balancer.balancer.engine.registry.active === 0, `it ends after ${turns} turns`);
  }
});
