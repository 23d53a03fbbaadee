/** Connections whose route a reload removes. */

import { encodeId } from "../../lib/frame/tlv.ts";
import { assert, assertEquals } from "../assert.ts";
import { receive, receiveAll, send } from "../bytes.ts";
import { refusalCode } from "../clients.ts";
import { LISTENERS, replace, said, serve } from "../serving.ts";
import { startEcho, startUpstream } from "../upstreams.ts";

const UNKNOWN_ID = 4;

Deno.test("a route that is removed keeps, drains or closes its connections, according to its on_removal", async () => {
  await using upstream = startEcho();
  await using mute = startUpstream(async (conn) => void await receiveAll(conn));
  const route = (id: string, rest: string, port = upstream.port) =>
    `  - { id: ${id}, host: 127.0.0.1, port: ${port}${rest} }\n`;
  const settings = `${LISTENERS}timeouts: { drain: 800ms }\nroutes:\n`;
  const stays = route("stays", ", on_removal: close");
  const goes = route("keep", "") + route("drain", ", on_removal: drain") +
    route("close", ", on_removal: close") +
    route("mute", ", on_removal: close", mute.port);
  await using serving = await serve("", { text: settings + stays + goes });
  const open = async (id: string) => {
    const client = await serving.connect();
    await send(client, encodeId(id));
    if (id !== "mute") await receive(client, encodeId(id).length);
    return client;
  };
  using kept = await open("keep");
  using drained = await open("drain");
  using closed = await open("close");
  using silent = await open("mute");
  using staying = await open("stays");
  const beat = async (client: Deno.TcpConn) => {
    await send(client, Uint8Array.of(5));
    return [...await receive(client, 1)];
  };
  const asked = performance.now();
  await replace(serving, settings + stays);
  await said(serving, "4 removed; 3 connections affected");
  assertEquals((await receiveAll(closed)).length, 0);
  assertEquals(refusalCode(await receiveAll(silent)), 7, "nothing had come from its upstream, so it is told");
  assertEquals(await beat(drained), [5]);
  assertEquals((await receiveAll(drained)).length, 0);
  assert(performance.now() - asked > 795, "not before timeouts.drain is over");
  assertEquals(await beat(kept), [5]);
  assertEquals(await beat(staying), [5]);
  using unknown = await serving.connect();
  await send(unknown, encodeId("close"));
  assertEquals(refusalCode(await receiveAll(unknown)), UNKNOWN_ID);
  await said(serving, "reason=kicked", 2);
  await said(serving, "reason=drain");
});
