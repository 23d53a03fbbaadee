/** Listeners that a reload adds, keeps and removes. */

import { encodeId } from "../../lib/frame/tlv.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import { receive, send } from "../bytes.ts";
import { replace, routeTo, said, serve } from "../serving.ts";
import { freePort } from "../sockets.ts";
import { startEcho } from "../upstreams.ts";

Deno.test("a listener that is added is opened; one that is removed is closed, and its connections go on", async () => {
  await using upstream = startEcho();
  const [kept, other] = [freePort(), freePort()];
  const table = (...ports: number[]) =>
    `listeners: [${ports.map((port) => `{ address: "127.0.0.1:${port}" }`)}]\n${routeTo(upstream.port)}`;
  await using serving = await serve("", { text: table(kept) });
  const connect = (port: number) => Deno.connect({ hostname: "127.0.0.1", port });
  const ID = encodeId("1");
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

Deno.test("a listener that overlaps one that is open can't take its place: nothing changes, and the line says why", async () => {
  const port = freePort();
  const table = (host: string) => `listeners: [{ address: "${host}:${port}" }]\n${routeTo(9)}`;
  await using serving = await serve("", { text: table("127.0.0.1") });
  await replace(serving, table("0.0.0.0"));
  await said(serving, `this process listens on 127.0.0.1:${port} already`);
  using _client = await Deno.connect({ hostname: "127.0.0.1", port });
});
