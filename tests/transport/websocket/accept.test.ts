/** WebSocket clients against a running balancer: RFC 6455, sections 5 and 7, on the wire. */

import { createServer } from "node:net";
import { Opcode } from "../../../lib/transport/websocket/frames.ts";
import { assert, assertEquals } from "../../assert.ts";
import { concat, ID, noise, receive, receiveAll, send, sha256 } from "../../bytes.ts";
import { refusalCode } from "../../clients.ts";
import { type Changes, configTo, startBalancer, startEchoing, startPath } from "../../fixture.ts";
import { pause, until } from "../../wait.ts";
import { codeOf, RawWebSocket } from "./raw.ts";
import { closing, wire } from "./wire.ts";

const { CONTINUATION, TEXT, CLOSE, PING, PONG } = Opcode;
const HELLO = wire({ payload: ID });

/** A WebSocket whose ID has come back from an echoing upstream. */
async function echoed(changes: Changes = {}) {
  const stack = new AsyncDisposableStack();
  const { port, balancer } = stack.use(startEchoing(changes));
  const socket = stack.use(await RawWebSocket.open(port, HELLO));
  assertEquals((await socket.frame())?.payload, ID);
  return { socket, port, balancer, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

Deno.test("5.5.2: a ping is answered with a pong of the same payload, 0 to 125 bytes", async () => {
  await using client = await echoed();
  for (const length of [0, 1, 125]) {
    const payload = noise(length);
    await client.socket.send(wire({ opcode: PING, payload }));
    assertEquals(await client.socket.frame(), { opcode: PONG, fin: true, payload });
  }
});

Deno.test("5.5.2: a ping is answered before the ID, and within a fragmented message", async () => {
  await using balancer = startEchoing();
  using socket = await RawWebSocket.open(balancer.port, wire({ opcode: PING, payload: "a" }));
  assertEquals((await socket.frame())?.opcode, PONG);
  await socket.send(wire({ fin: false, payload: ID.subarray(0, 3) }), wire({ opcode: PING, payload: "b" }));
  assertEquals((await socket.frame())?.opcode, PONG);
  await socket.send(wire({ opcode: CONTINUATION, payload: ID.subarray(3) }));
  assertEquals((await socket.frame())?.payload, ID);
});

Deno.test("5.5.3: an unsolicited pong is ignored", async () => {
  await using client = await echoed();
  await client.socket.send(wire({ opcode: PONG, payload: "x" }), wire({ payload: [7] }));
  assertEquals((await client.socket.frame())?.payload, Uint8Array.of(7));
});

Deno.test("5.4: pongs never stand inside a data frame that is being written", async () => {
  const down = noise(20 << 20);
  await using balancer = startPath(async (conn) => {
    await receive(conn, ID.length);
    await send(conn, down);
    await receiveAll(conn);
  });
  using socket = await RawWebSocket.open(balancer.port, HELLO);
  for (let round = 0; round < 1000; round++) {
    await socket.send(wire({ opcode: PING, payload: [round >> 8, round & 0xff] }));
  }
  const parts: Uint8Array[] = [];
  let pongs = 0;
  for (let left = down.length; left > 0;) {
    const frame = await socket.frame();
    assert(frame, "all of it arrives");
    assert(frame.opcode === Opcode.BINARY || frame.opcode === PONG, `opcode ${frame.opcode}`);
    if (frame.opcode === PONG) pongs++;
    else {
      parts.push(frame.payload);
      left -= frame.payload.length;
    }
  }
  assertEquals(await sha256(concat(...parts)), await sha256(down));
  assert(pongs >= 1 && pongs <= 1000, `${pongs} pongs`);
});

for (
  const [what, payload, code] of [
    ["1000", closing(1000, "bye"), 1000],
    ["1001", closing(1001), 1001],
    ["3000", closing(3000), 3000],
    ["4999", closing(4999), 4999],
    ["no code", new Uint8Array(), "no code"],
  ] as const
) {
  Deno.test(`5.5.1: a close frame with ${what} is answered with the same`, async () => {
    await using client = await echoed();
    await client.socket.send(wire({ opcode: CLOSE, payload }));
    assertEquals(await client.socket.rest(), { payload: new Uint8Array(), code });
  });
}

Deno.test("5.5.1: remaining bytes of the upstream are delivered before a close frame is answered", async () => {
  const down = noise(5 << 20);
  await using balancer = startPath(async (conn) => {
    await receiveAll(conn);
    await send(conn, down);
  });
  using socket = await RawWebSocket.open(
    balancer.port,
    concat(HELLO, wire({ opcode: CLOSE, payload: closing(1000) })),
  );
  const { payload, code } = await socket.rest();
  assertEquals(await sha256(payload), await sha256(down));
  assertEquals(code, 1000);
});

Deno.test("5.5.1: bytes of a client behind its close frame are dropped", async () => {
  await using client = await echoed();
  await client.socket.send(wire({ opcode: CLOSE }), wire({ payload: [1] }), wire({ rsv: 7 }));
  assertEquals(await client.socket.rest(), { payload: new Uint8Array(), code: "no code" });
});

Deno.test("7.1.1: a FIN of the upstream is close 1000; messages of the client arrive until its close frame", async () => {
  const up = noise(5 << 20);
  const got = Promise.withResolvers<string>();
  await using balancer = startPath(async (conn) => {
    await conn.closeWrite();
    got.resolve(await sha256((await receiveAll(conn)).subarray(ID.length)));
  });
  using socket = await RawWebSocket.open(balancer.port, HELLO);
  const close = await socket.frame();
  assertEquals([close?.opcode, close && codeOf(close)], [CLOSE, 1000]);
  await socket.send(wire({ payload: up }), wire({ opcode: CLOSE, payload: closing(1000) }));
  assertEquals(await got.promise, await sha256(up));
  assertEquals(await socket.frames(), [], "then the server closes the connection and sends nothing more");
});

Deno.test("7.1.5: a connection that ends without a close frame has broken: the upstream's is ended", async () => {
  const ended = Promise.withResolvers<void>();
  await using balancer = startPath(async (conn) => {
    await receiveAll(conn);
    ended.resolve();
  });
  using socket = await RawWebSocket.open(balancer.port, HELLO);
  await until(() => balancer.balancer.active === 1, "the connection is open");
  await socket.conn.closeWrite();
  await ended.promise;
  await socket.frames();
});

Deno.test("7.4.1: a reset of the upstream is close 1011", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.write("some", () => socket.resetAndDestroy()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  {
    await using balancer = startBalancer(configTo(port));
    using socket = await RawWebSocket.open(balancer.port, HELLO);
    const close = await (async () => {
      for (let frame; (frame = await socket.frame());) if (frame.opcode === CLOSE) return frame;
    })();
    assertEquals(close && codeOf(close), 1011);
    await socket.send(wire({ opcode: CLOSE, payload: closing(1011) }));
    await socket.frames();
  }
  await new Promise((resolve) => server.close(resolve));
});

const faults: readonly [string, Uint8Array, number][] = [
  ["a frame that is not masked", wire({ masked: false, payload: [1] }), 1002],
  ["reserved bits", wire({ rsv: 4 }), 1002],
  ["an unknown opcode", wire({ opcode: 3 }), 1002],
  ["a fragmented ping", wire({ opcode: PING, fin: false }), 1002],
  ["a long ping", wire({ opcode: PING, payload: new Uint8Array(126) }), 1002],
  ["a length that is not minimally encoded", wire({ length: 5, width: 8 }), 1002],
  ["a length of 2^63", wire({ length: 2n ** 63n }), 1002],
  ["a length of 2^53", wire({ length: 2n ** 53n }), 1009],
  ["a continuation of nothing", wire({ opcode: CONTINUATION }), 1002],
  ["a message inside another", concat(wire({ fin: false }), wire()), 1002],
  ["a text message", wire({ opcode: TEXT, payload: "hi" }), 1003],
  ["an invalid close code", wire({ opcode: CLOSE, payload: closing(1005) }), 1002],
  ["half a close code", wire({ opcode: CLOSE, payload: [3] }), 1002],
  ["a close reason that is not UTF-8", wire({ opcode: CLOSE, payload: closing(1000, [0xff]) }), 1002],
];

for (const [what, bytes, code] of faults) {
  Deno.test(`7.1.7: ${what} is answered with close ${code}, even with 1 MB behind it`, async () => {
    const ended = Promise.withResolvers<Uint8Array>();
    await using balancer = startPath(async (conn) => ended.resolve(await receiveAll(conn)));
    using socket = await RawWebSocket.open(balancer.port, HELLO);
    const sending = socket.send(wire({ payload: [5] }), bytes, new Uint8Array(1 << 20)).catch(() => {});
    const close = await socket.frame();
    assertEquals([close?.opcode, close && codeOf(close)], [CLOSE, code]);
    assert((close?.payload.length ?? 0) > 10, "a reason is given");
    assertEquals(await ended.promise, concat(ID, Uint8Array.of(5)), "what came before is delivered");
    await sending;
    await socket.conn.closeWrite();
    assertEquals(await socket.frames(), []);
  });

  Deno.test(`7.1.7: ${what} instead of an ID is answered with close ${code}`, async () => {
    await using balancer = startBalancer(configTo(9));
    using socket = await RawWebSocket.open(balancer.port, bytes);
    const close = await socket.frame();
    assertEquals([close?.opcode, close && codeOf(close)], [CLOSE, code]);
  });
}

const refusals: readonly [string, number, number, Changes][] = [
  ["UNKNOWN_ID", 4, 1008, { routes: [] }],
  ["UPSTREAM_UNAVAILABLE", 5, 1011, { routes: [{ id: "1", host: "127.0.0.1", port: 9 }] }],
  ["LIMIT_EXCEEDED", 6, 1013, { duplicate_id: "reject" }],
  ["REPLACED", 9, 1008, { duplicate_id: "replace" }],
];

for (const [name, error, code, changes] of refusals) {
  Deno.test(`${name} is a binary message that holds ERROR ${error}, and close ${code}`, async () => {
    const arrived = Promise.withResolvers<void>();
    await using balancer = startPath(async (conn) => {
      await receive(conn, ID.length);
      arrived.resolve();
      await receiveAll(conn);
    }, changes);
    using first = await RawWebSocket.open(balancer.port, HELLO);
    if (error === 6 || error === 9) await arrived.promise;
    using second = await RawWebSocket.open(balancer.port, HELLO);
    const refused = error === 9 ? first : second;
    const message = await refused.frame();
    assertEquals([message?.opcode, message?.fin], [Opcode.BINARY, true]);
    assertEquals(refusalCode(message?.payload ?? new Uint8Array()), error);
    const close = await refused.frame();
    assertEquals([close?.opcode, close && codeOf(close)], [CLOSE, code]);
    await refused.send(wire({ opcode: CLOSE, payload: closing(code) }));
    assertEquals(await refused.frames(), []);
  });
}

Deno.test("SHUTTING_DOWN is a binary message that holds ERROR 7, and close 1001", async () => {
  await using client = await echoed({ timeouts: { drain: 300 } });
  const drained = client.balancer.drain();
  using waiting = await RawWebSocket.open(client.port, HELLO);
  assertEquals(refusalCode((await waiting.frame())?.payload ?? new Uint8Array()), 7);
  const close = await waiting.frame();
  assertEquals(close && codeOf(close), 1001);
  await waiting.send(wire({ opcode: CLOSE, payload: closing(1001) }));
  await drained;
});

Deno.test("a connection that the balancer ends after bytes of the upstream gets close 1001", async () => {
  await using client = await echoed({ timeouts: { idle: 600 } });
  const close = await client.socket.frame();
  assertEquals([close?.opcode, close && codeOf(close)], [CLOSE, 1001]);
});

Deno.test("the ID frame is split across messages and frames at every point", async () => {
  await using balancer = startEchoing();
  for (let cut = 0; cut <= ID.length; cut++) {
    const [start, end] = [ID.subarray(0, cut), ID.subarray(cut)];
    const splits = [
      [wire({ payload: start }), wire({ payload: end })],
      [wire({ payload: start, fin: false }), wire({ opcode: CONTINUATION, payload: end })],
      [
        wire({ payload: start, fin: false }),
        wire({ opcode: PING }),
        wire({ opcode: CONTINUATION, payload: end }),
      ],
    ];
    for (const frames of splits) {
      for (const slowly of [false, true]) {
        using socket = await RawWebSocket.open(balancer.port, slowly ? frames[0] : concat(...frames));
        if (slowly) await pause(2);
        if (slowly) await socket.send(...frames.slice(1));
        await socket.send(wire({ opcode: CLOSE }));
        assertEquals((await socket.rest()).payload.filter((_, at) => at < ID.length), ID);
      }
    }
  }
});

Deno.test("a million fragments of one byte give the same as one message", async () => {
  const payload = noise(1_000_000);
  const got = Promise.withResolvers<string>();
  await using balancer = startPath(async (conn) => {
    got.resolve(await sha256((await receiveAll(conn)).subarray(ID.length)));
  });
  using socket = await RawWebSocket.open(balancer.port, HELLO);
  const frames = new Uint8Array(7 * payload.length);
  for (let at = 0; at < payload.length; at++) {
    frames.set([
      at === 0 ? 2 : at === payload.length - 1 ? 0x80 : 0,
      0x81,
      1,
      2,
      3,
      4,
      (payload[at] ?? 0) ^ 1,
    ], 7 * at);
  }
  await socket.send(frames, wire({ opcode: CLOSE, payload: closing(1000) }));
  assertEquals(await got.promise, await sha256(payload));
  assertEquals((await socket.rest()).code, 1000);
});

Deno.test("a client that closes its WebSocket without a message is a probe", async () => {
  await using balancer = startBalancer(configTo(9));
  using socket = await RawWebSocket.open(balancer.port, wire({ opcode: CLOSE, payload: closing(1000) }));
  assertEquals(await socket.rest(), { payload: new Uint8Array(), code: 1000 });
});
