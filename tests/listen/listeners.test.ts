/** Listeners that a reload adds, keeps and removes. */

import { Listeners } from "../../lib/listen/listeners.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { ID, receive, send } from "../bytes.ts";
import { replace, routeTo, said, serve } from "../serving.ts";
import { freePort } from "../sockets.ts";
import { startEcho } from "../upstreams.ts";

Deno.test("a listener that is added is opened; one that is removed is closed, and its connections stay open", async () => {
  await using upstream = startEcho();
  const [kept, other] = [freePort(), freePort()];
  const table = (...ports: number[]) =>
    `listeners: [${ports.map((port) => `{ address: "127.0.0.1:${port}" }`)}]\n${routeTo(upstream.port)}`;
  await using serving = await serve("", { text: table(kept) });
  const connect = (port: number) => Deno.connect({ hostname: "127.0.0.1", port });
  using early = await connect(kept);
  await send(early, ID);
  assertEquals(await receive(early, ID.length), ID);
  await replace(serving, table(other));
  await said(serving, "reloaded");
  await assertRejects(() => connect(kept), Deno.errors.ConnectionRefused);
  using late = await connect(other);
  for (const client of [early, late]) {
    await send(client, ID);
    assertEquals(await receive(client, ID.length), ID);
  }
  await replace(serving, table(other, kept));
  await said(serving, "reloaded", 2);
  using again = await connect(kept);
  await send(again, ID);
  assertEquals(await receive(again, ID.length), ID);
});

Deno.test("a listener that overlaps an open one cannot replace it: nothing changes, and one line has the reason", async () => {
  const port = freePort();
  const table = (host: string) => `listeners: [{ address: "${host}:${port}" }]\n${routeTo(9)}`;
  await using serving = await serve("", { text: table("127.0.0.1") });
  await replace(serving, table("0.0.0.0"));
  await said(serving, `this process listens on 127.0.0.1:${port} already`);
  using _client = await Deno.connect({ hostname: "127.0.0.1", port });
});

Deno.test("a prepared listener accepts nothing before it is committed, and an aborted one leaves its port free", async () => {
  const served: string[] = [];
  const listeners = new Listeners((socket, { name }) => {
    served.push(name);
    (socket as Deno.TcpConn).close();
  });
  const address = { host: "127.0.0.1", port: freePort() };
  listeners.prepare([{ address }]).abort();
  assertEquals(listeners.addresses, []);
  const prepared = listeners.prepare([{ address }]);
  using early = await Deno.connect({ hostname: address.host, port: address.port });
  assertEquals(listeners.addresses, []);
  prepared.commit();
  assertEquals(await early.read(new Uint8Array(1)), null);
  assertEquals(served, [`127.0.0.1:${address.port}`]);
  await listeners.close();
});

Deno.test("several threads' listeners share a port, and quiet waits until nothing more arrives", async () => {
  const counts = [0, 0];
  const open = [0, 1].map((index) =>
    new Listeners((socket) => {
      counts[index]! += 1;
      (socket as Deno.TcpConn).close();
    }, { reusePort: true })
  );
  const address = { host: "127.0.0.1", port: freePort() };
  for (const listeners of open) listeners.change([{ address }]);
  for (let tries = 0; tries < 64; tries++) {
    using client = await Deno.connect({ hostname: address.host, port: address.port });
    await client.read(new Uint8Array(1));
  }
  await Promise.all(open.map((listeners) => listeners.drainBacklogs()));
  await Promise.all(open.map((listeners) => listeners.close()));
  assertEquals(counts[0]! + counts[1]!, 64);
  // all in one of them: once in 2^63
  assert(counts.every((count) => count > 0), String(counts));
});
