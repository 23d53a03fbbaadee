import type { Transport } from "../../lib/transport/duplex.ts";
import { encodeFrame, encodeId, HEADER_BYTES } from "../../lib/frame/tlv.ts";
import { assert, assertEquals } from "../assert.ts";
import { concat, noise, receiveAll, send, sha256 } from "../bytes.ts";
import { connectAndReset, refusalCode } from "../clients.ts";
import { type Changes, configTo, overEach, startBalancer, startEchoing } from "../fixture.ts";
import { sized } from "../soak.ts";
import { freePort } from "../sockets.ts";
import { pause, until } from "../wait.ts";

const MIB = 1 << 20;
const RESETS = sized(10_000);

async function refusal(transport: Transport, bytes: Uint8Array, changes = {}, port = 9): Promise<number> {
  await using balancer = startBalancer(configTo(port, changes));
  using client = await balancer.connectOver(transport);
  await send(client, bytes);
  return refusalCode(await receiveAll(client));
}

const header = (type: number, length: number) => {
  const bytes = new Uint8Array(HEADER_BYTES);
  bytes[0] = type;
  new DataView(bytes.buffer).setUint32(1, length);
  return bytes;
};

Deno.test("every first byte other than 1, 2, 3 and G is BAD_FRAME at once", async () => {
  await using balancer = startBalancer(configTo(9, { timeouts: { id: 20_000, connect: 1000 } }));
  for (let byte = 0; byte < 256; byte++) {
    if ((byte >= 1 && byte <= 3) || byte === 0x47) continue;
    using client = await balancer.connect();
    await send(client, Uint8Array.of(byte));
    assertEquals(refusalCode(await receiveAll(client)), 1);
  }
});

for (
  const [what, length] of [["length 0", 0], ["a length over the cap", 256], [
    "length 2^32-1",
    2 ** 32 - 1,
  ]] as const
) {
  overEach(`${what} is BAD_FRAME at byte 5`, async (transport) => {
    assertEquals(await refusal(transport, header(1, length), { timeouts: { id: 20_000, connect: 1000 } }), 1);
  });
}

for (
  const [what, value] of [["invalid UTF-8", [0xc3, 0x28]], ["a newline", [0x61, 0x0a]], ["NUL", [0]]] as const
) {
  overEach(`an ID with ${what} is BAD_FRAME`, async (transport) => {
    assertEquals(await refusal(transport, encodeFrame(1, Uint8Array.from(value))), 1);
  });
}

overEach("DATA first is ID_EXPECTED, short or long", async (transport) => {
  assertEquals(await refusal(transport, encodeFrame(2, new Uint8Array(4))), 2);
  assertEquals(await refusal(transport, header(2, 1_000_000)), 2);
});

overEach(
  "an ID frame that is never completed is ID_TIMEOUT, also where bytes keep coming",
  async (transport) => {
    await using balancer = startBalancer(configTo(9, { timeouts: { id: 300, connect: 1000 } }));
    const started = performance.now();
    using client = await balancer.connectOver(transport);
    const frame = encodeId("x".repeat(200));
    let sent = 0;
    const dribble = (async () => {
      try {
        for (; sent < frame.length; sent++) {
          await send(client, frame.subarray(sent, sent + 1));
          await pause(50);
        }
      } catch {
        // refused
      }
    })();
    assertEquals(refusalCode(await receiveAll(client)), 3);
    const took = performance.now() - started;
    assert(took >= 290, `ended after ${took} ms`);
    assert(sent < frame.length, "a deadline that each byte extends would be over after the last");
    client.close();
    await dribble;
  },
);

Deno.test("1,500 clients with incomplete ID frames get ID_TIMEOUT, and a valid client is served meanwhile", async () => {
  await using balancer = startEchoing({ timeouts: { id: 1000 } });
  const connectHalf = async () => {
    const client = await balancer.connect();
    await send(client, Uint8Array.of(1, 0, 0));
    return client;
  };
  const silent = await Promise.all(Array.from({ length: 1500 }, connectHalf));
  const receiving = Promise.all(silent.map(receiveAll));
  using good = await balancer.connect();
  await send(good, encodeId("1"));
  await good.closeWrite();
  assertEquals(await receiveAll(good), encodeId("1"));
  assertEquals((await receiving).map(refusalCode).filter((code) => code !== 3), []);
  for (const client of silent) client.close();
  await until(() => balancer.balancer.active === 0, "every connection is accounted for");
});

overEach("an unknown ID is UNKNOWN_ID, __proto__ and constructor too", async (transport) => {
  for (const id of ["2", "__proto__", "constructor", "toString"]) {
    assertEquals(await refusal(transport, encodeId(id)), 4);
  }
});

overEach(
  "an upstream that refuses is UPSTREAM_UNAVAILABLE, though the client sent 1 MB that was not read",
  async (transport) => {
    assertEquals(await refusal(transport, concat(encodeId("1"), new Uint8Array(MIB)), {}, freePort()), 5);
  },
);

overEach("a name that does not resolve is UPSTREAM_UNAVAILABLE", async (transport) => {
  const routes = [{ id: "1", host: "no-such-host.invalid", port: 1 }];
  assertEquals(await refusal(transport, encodeId("1"), { routes, timeouts: { id: 2000, connect: 4000 } }), 5);
});

overEach("an upstream that does not answer is UPSTREAM_UNAVAILABLE at the deadline", async (transport) => {
  const connect = () => new Promise<Deno.TcpConn>(() => {});
  await using balancer = startBalancer(configTo(9, { timeouts: { id: 2000, connect: 200 } }), { connect });
  using client = await balancer.connectOver(transport);
  await send(client, encodeId("1"));
  assertEquals(refusalCode(await receiveAll(client)), 5);
});

overEach("an ID frame cut at every byte routes", async (transport) => {
  await using balancer = startEchoing();
  const bytes = concat(encodeId("1"), Uint8Array.of(9));
  for (let cut = 1; cut < bytes.length; cut++) {
    using client = await balancer.connectOver(transport);
    await send(client, bytes.subarray(0, cut));
    await pause(5);
    await send(client, bytes.subarray(cut));
    await client.closeWrite();
    assertEquals([...await receiveAll(client)], [...bytes]);
  }
});

overEach("1 MB in one write with the ID frame is delivered once and in order", async (transport) => {
  await using balancer = startEchoing();
  using client = await balancer.connectOver(transport);
  const bytes = concat(encodeId("1"), noise(MIB));
  const sending = send(client, bytes).then(() => client.closeWrite());
  assertEquals(await sha256(await receiveAll(client)), await sha256(bytes));
  await sending;
});

Deno.test(`${RESETS} connections that are reset at once leave the accept loop alive`, async () => {
  await using balancer = startEchoing();
  for (let round = 0; round < RESETS / 20; round++) {
    await Promise.all(Array.from({ length: 20 }, () => connectAndReset(balancer.port)));
  }
  using client = await balancer.connect();
  await send(client, encodeId("1"));
  await client.closeWrite();
  assertEquals((await receiveAll(client)).length, 6);
  await until(() => balancer.balancer.active === 0, "every connection is accounted for");
});

const BEFORE_DIALING: readonly [string, number, Uint8Array, Changes][] = [
  ["BAD_FRAME", 1, Uint8Array.of(9), {}],
  ["ID_EXPECTED", 2, header(2, 4), {}],
  ["ID_TIMEOUT", 3, header(1, 5), { timeouts: { ...configTo(9).timeouts, id: 300 } }],
  ["UNKNOWN_ID", 4, encodeId("2"), {}],
];

for (const [name, code, first, changes] of BEFORE_DIALING) {
  // bytes that complete an unfinished ID frame would be read
  const more = code === 3 ? new Uint8Array() : new Uint8Array(MIB);
  overEach(
    `${name} arrives, though the client sent ${more.length} bytes that were not read`,
    async (transport) => {
      assertEquals(await refusal(transport, concat(first, more), changes), code);
    },
  );
}
