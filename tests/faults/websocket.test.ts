/** Open files and memory that WebSockets take in a balancer in a process of its own. */

import { Opcode } from "../../lib/transport/websocket/frames.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { concat, ID, noise, receive, receiveAll, send, sha256 } from "../bytes.ts";
import { sized } from "../soak.ts";
import { until } from "../wait.ts";
import { codeOf, RawWebSocket, request } from "../transport/websocket/raw.ts";
import { closing, wire } from "../transport/websocket/wire.ts";
import { withWarmBalancer } from "./warm_balancer.ts";

const HELLO = wire({ payload: ID });
const MIB = 1 << 20;

const ROUNDS = sized(100, 0.4);
const FRAGMENTS = sized(1_000_000, 0.2);
const MB_OF_PINGS = sized(200, 0.05);

/** Most bytes by which memory may grow, whatever a client does. */
const MOST_GROWN = 32 * MIB;

const ignore = Deno.build.os !== "linux";

const { started, idleFiles, openFiles } = withWarmBalancer(ignore);

/** Waits until `progress` has not changed for a while. */
async function stalled(progress: () => number, what: string): Promise<void> {
  let last = { progress: -1, at: 0 };
  await until(() => {
    const now = performance.now();
    if (progress() !== last.progress) last = { progress: progress(), at: now };
    return progress() > 0 && now - last.at > 400;
  }, `${what} has stalled`);
}

/** The last bytes of a client: a close frame, none, a violation, half a frame, and data that is never read. */
const ENDS = [
  wire({ opcode: Opcode.CLOSE, payload: closing(1000) }),
  new Uint8Array(),
  wire({ rsv: 7 }),
  wire({ payload: [1], length: 1000 }),
  concat(wire({ opcode: Opcode.CLOSE }), noise(100_000)),
];

Deno.test({
  name: `after ${5 * ROUNDS} WebSockets that end in every way no more files are open than before`,
  ignore,
  async fn() {
    await using balancer = started(async (conn) => {
      await receiveAll(conn);
    });
    for (let round = 0; round < ROUNDS; round++) {
      for (const end of ENDS) {
        using socket = await RawWebSocket.open(balancer.port, HELLO);
        await socket.send(end);
      }
    }
    await until(() => openFiles() <= idleFiles(), "every socket is released");
    using socket = await RawWebSocket.open(balancer.port, concat(HELLO, wire({ opcode: Opcode.CLOSE })));
    assertEquals((await socket.rest()).code, "no code");
  },
});

const GIB = 1 << 30;

Deno.test({
  name: "a client that has 1 GiB for an upstream that does not read stalls, and memory stays flat",
  ignore,
  async fn() {
    const release = Promise.withResolvers<void>();
    await using balancer = started(async (conn) => {
      await receive(conn, ID.length);
      await release.promise;
    });
    using socket = await RawWebSocket.open(balancer.port, HELLO);
    const message = wire({ payload: noise(256 << 10) });
    let sent = 0;
    const sending = (async () => {
      try {
        while (sent < GIB) sent += await socket.conn.write(message.subarray(sent % message.length));
      } catch {
        // ended below
      }
    })();
    await stalled(() => sent, "the sender");
    assert(sent < GIB / 4, `${sent} bytes were taken`);
    assert(balancer.grown() < MOST_GROWN, `resident memory grew by ${balancer.grown()} bytes`);
    release.resolve();
    await sending;
  },
});

Deno.test({
  name: "an upstream that has 1 GiB for a client that does not read stalls, and memory stays flat",
  ignore,
  async fn() {
    let sent = 0;
    await using balancer = started(async (conn) => {
      const chunk = noise(256 << 10);
      while (sent < GIB) sent += await conn.write(chunk);
    });
    using socket = await RawWebSocket.open(balancer.port, HELLO);
    await stalled(() => sent, "the sender");
    assert(sent < GIB / 4, `${sent} bytes were taken`);
    assert(balancer.grown() < MOST_GROWN, `resident memory grew by ${balancer.grown()} bytes`);
    socket.conn.close();
  },
});

Deno.test({
  name: `${FRAGMENTS} fragments of one byte cost little memory`,
  ignore,
  async fn() {
    const payload = noise(FRAGMENTS);
    const got = Promise.withResolvers<string>();
    await using balancer = started(async (conn) => {
      got.resolve(await sha256((await receiveAll(conn)).subarray(ID.length)));
    });
    using socket = await RawWebSocket.open(balancer.port, HELLO);
    const fragments = new Uint8Array(7 * payload.length);
    for (let at = 0; at < payload.length; at++) {
      const first = at === 0 ? 0x02 : at === payload.length - 1 ? 0x80 : 0;
      fragments.set([first, 0x81, 1, 2, 3, 4, (payload[at] ?? 0) ^ 1], 7 * at);
    }
    await socket.send(fragments, wire({ opcode: Opcode.CLOSE, payload: closing(1000) }));
    assertEquals(await got.promise, await sha256(payload));
    assertEquals((await socket.rest()).code, 1000);
    assert(balancer.grown() < MOST_GROWN, `resident memory grew by ${balancer.grown()} bytes`);
  },
});

Deno.test({
  name:
    `${MB_OF_PINGS} MB of pings whose pongs are not read cost little memory, and the connection stays open`,
  ignore,
  async fn() {
    await using balancer = started(async (conn) => {
      await receive(conn, ID.length);
      await send(conn, Uint8Array.of(7));
      await receiveAll(conn);
    });
    using socket = await RawWebSocket.open(balancer.port, HELLO);
    const ping = wire({ opcode: Opcode.PING, payload: noise(125) });
    const flood = concat(...Array.from({ length: 8000 }, () => ping));
    for (let round = 0; round < MB_OF_PINGS; round++) await socket.send(flood);
    assert(balancer.grown() < MOST_GROWN, `resident memory grew by ${balancer.grown()} bytes`);
    await socket.send(wire({ opcode: Opcode.CLOSE, payload: closing(1000) }));
    const frames = await socket.frames();
    assertEquals(frames.filter(({ opcode }) => opcode === Opcode.BINARY).length, 1);
    assert(frames.length < MB_OF_PINGS * 8000, "pongs were coalesced");
    assertEquals(codeOf(frames.at(-1) ?? { opcode: 0, fin: true, payload: new Uint8Array() }), 1000);
  },
});

Deno.test({
  name: "requests of 1 MB get 431, announced lengths of 2^63 get 1002, and both cost little memory",
  ignore,
  async fn() {
    await using balancer = started(async (conn) => {
      await receiveAll(conn);
    });
    const cookie = request({ Cookie: "x".repeat(MIB) });
    for (let round = 0; round < ROUNDS; round++) {
      using conn = await Deno.connect({ hostname: "127.0.0.1", port: balancer.port });
      const sending = send(conn, new TextEncoder().encode(cookie)).then(() => conn.closeWrite());
      assertStringIncludes(new TextDecoder().decode(await receiveAll(conn)), "HTTP/1.1 431 ");
      await sending;
    }
    const huge = concat(HELLO, wire({ length: 2n ** 63n, payload: noise(1000) }));
    for (let round = 0; round < ROUNDS; round++) {
      using socket = await RawWebSocket.open(balancer.port, huge);
      const close = await socket.frame();
      assertEquals(close && codeOf(close), 1002);
    }
    const open: RawWebSocket[] = [];
    const large = concat(HELLO, wire({ length: 2n ** 53n - 1n, payload: noise(1000) }));
    for (let round = 0; round < ROUNDS; round++) open.push(await RawWebSocket.open(balancer.port, large));
    assert(balancer.grown() < MOST_GROWN, `resident memory grew by ${balancer.grown()} bytes`);
    for (const socket of open) socket[Symbol.dispose]();
  },
});
