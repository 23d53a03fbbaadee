/** WebSocket handshakes with a running balancer. */

import { encodeId } from "../../lib/frame/tlv.ts";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { concat, receive, receiveAll, send } from "../bytes.ts";
import { refusalCode } from "../clients.ts";
import { startEchoing, startWithWebSocket } from "../fixture.ts";
import { RawWebSocket, request } from "../transport/websocket/raw.ts";
import { wire } from "../transport/websocket/wire.ts";
import { pause, until } from "../wait.ts";

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("with websocket: false an HTTP request is BAD_FRAME", async () => {
  await using balancer = startWithWebSocket(false);
  using client = await balancer.connect();
  await send(client, encode("G"));
  assertEquals(refusalCode(await receiveAll(client)), 1);
});

Deno.test("a handshake cut at every byte is accepted, and bytes behind it in the same write are frames", async () => {
  await using balancer = startEchoing();
  const bytes = concat(encode(request()), wire({ payload: encodeId("1") }), wire({ opcode: 8 }));
  const clientCutAt = async (cut: number) => {
    using conn = await balancer.connect();
    conn.setNoDelay(true);
    await send(conn, bytes.subarray(0, cut));
    await pause(5);
    await send(conn, bytes.subarray(cut));
    const received = await receiveAll(conn);
    assertEquals([...received.subarray(-10)], [0x82, 6, ...encodeId("1"), 0x88, 0]);
  };
  for (let cut = 1; cut < bytes.length; cut += 20) {
    await Promise.all(
      Array.from({ length: 20 }, (_, more) => clientCutAt(Math.min(cut + more, bytes.length - 1))),
    );
  }
});

Deno.test("a handshake that is incomplete at the deadline gets 408, even if bytes keep arriving", async () => {
  await using balancer = startWithWebSocket({}, 9, 300);
  using client = await balancer.connect();
  const started = performance.now();
  await send(client, encode("G"));
  const dribble = (async () => {
    try {
      for (const byte of encode(request().slice(1))) {
        await pause(50);
        await send(client, Uint8Array.of(byte));
      }
    } catch {
      // refused
    }
  })();
  assertMatch(new TextDecoder().decode(await receiveAll(client)), /^HTTP\/1\.1 408 Request Timeout\r\n/);
  assert(performance.now() - started >= 290);
  client.close();
  await dribble;
});

Deno.test("the ID deadline runs from the accept, not from the handshake", async () => {
  await using balancer = startWithWebSocket({}, 9, 800);
  using client = await balancer.connect();
  const started = performance.now();
  await send(client, encode("G"));
  await pause(400);
  // it begins before a deadline from the handshake would
  using later = await balancer.connect();
  await until(() => balancer.balancer.active === 2, "it is accepted");
  const laterEnded = receiveAll(later).then(() => performance.now());
  await send(client, encode(request().slice(1)));
  let head = "";
  while (!head.endsWith("\r\n\r\n")) head += String.fromCharCode(...await receive(client, 1));
  const [first] = await receive(client, 1);
  const ended = performance.now();
  assertEquals(first, 0x82, "the ERROR frame comes as a binary message");
  assert(ended - started >= 790, `ended after ${ended - started} ms`);
  assert(ended < await laterEnded, "it was accepted first, so it ends first");
});

Deno.test("a handshake that is refused is accounted for as a WebSocket, and no file stays open", async () => {
  await using balancer = startWithWebSocket({});
  for (let round = 0; round < 50; round++) {
    using client = await balancer.connect();
    await send(client, encode(request({ Upgrade: "x" })));
    await receiveAll(client);
  }
  await until(() => balancer.balancer.active === 0, "every connection is accounted for");
});

Deno.test("a client that closes within its handshake is answered 400", async () => {
  await using balancer = startWithWebSocket({});
  using client = await balancer.connect();
  await send(client, encode("GET / HT"));
  await client.closeWrite();
  assertMatch(new TextDecoder().decode(await receiveAll(client)), /^HTTP\/1\.1 400 /);
});

Deno.test("a WebSocket inside a WebSocket is BAD_FRAME", async () => {
  await using balancer = startWithWebSocket({});
  using socket = await RawWebSocket.open(balancer.port, wire({ payload: request() }));
  assertEquals(refusalCode((await socket.frame())?.payload ?? new Uint8Array()), 1);
});
