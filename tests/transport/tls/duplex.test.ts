import { clientContext, tlsClient } from "../../../lib/transport/tls/client.ts";
import { TlsServer } from "../../../lib/transport/tls/server.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { noise, send, sha256 } from "../../bytes.ts";
import { Certificate, tlsTest } from "../../certificates.ts";
import { sized } from "../../soak.ts";
import { pause } from "../../wait.ts";
import { sides, tcpPair, tlsPair } from "./pair.ts";

/** Everything up to EOF. @param rest Awaited after each read. @param size Of the next read's buffer, in bytes. */
async function readAll(
  from: Pick<Deno.Conn, "read">,
  rest = () => Promise.resolve(),
  size = () => 64 << 10,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (;;) {
    const buffer = new Uint8Array(size());
    const count = await from.read(buffer);
    if (count === null) return new Uint8Array(await new Blob(chunks).arrayBuffer());
    chunks.push(buffer.subarray(0, count));
    await rest();
  }
}

tlsTest("the end of a stream is not lost behind a reader that pauses, whatever the length", async () => {
  const runs = sized(20, 0.4);
  await Promise.all(Array.from({ length: runs }, async (_, run) => {
    await using pair = await tlsPair();
    const rest = () => Math.random() < 0.3 ? pause(Math.random() * 10) : Promise.resolve();
    for (const [index, [sender, receiver]] of sides(pair).entries()) {
      const bytes = noise(150_000 + Math.round(run * 800_000 / runs), run + index);
      const sending = send(sender, bytes).then(() => sender.closeWrite());
      const received = await readAll(receiver, rest);
      await sending;
      assertEquals([received.length, await sha256(received)], [bytes.length, await sha256(bytes)]);
    }
  }));
});

tlsTest(
  "8 MB to a reader that pauses after the sender has finished arrive whole, both ways",
  async () => {
    await using pair = await tlsPair();
    for (const [sender, receiver] of sides(pair)) {
      const bytes = noise(8_000_000);
      let finished = false;
      const sending = send(sender, bytes).then(() => sender.closeWrite()).then(() => void (finished = true));
      await pause(700);
      assert(!finished, "backpressure holds the sender");
      assertEquals(await sha256(await readAll(receiver)), await sha256(bytes));
      await sending;
    }
  },
);

for (const way of ["to the client", "to the server"] as const) {
  tlsTest(
    `${way}: a reader that takes nothing stalls the sender, and nothing is read ahead for it`,
    async () => {
      await using pair = await tlsPair();
      const { server, client } = pair;
      const [sender, receiver] = way === "to the client" ? [server, client] : [client, server];
      const below = receiver === server ? pair.below.server : pair.below.client;
      let sent = 0;
      const sending = (async () => {
        for (const bytes = noise(1 << 16);;) sent += await sender.write(bytes);
      })();
      sending.catch(() => {}); // closed below
      await receiver.read(new Uint8Array(1));
      const before = await settled(() => sent);
      assert(below.bytes <= 256 << 10, `${below.bytes} bytes have been read`);
      receiver.close();
      sender.close();
      await assertRejects(() => sending);
      assertEquals(sent, before);
    },
  );
}

/** Resolves to the value once it no longer changes. */
async function settled(value: () => number): Promise<number> {
  for (let last = -1; last !== value();) {
    last = value();
    await pause(150);
  }
  return value();
}

tlsTest(
  "bytes written and read in random pieces, both ways at once, arrive in order and whole",
  async () => {
    await Promise.all(Array.from({ length: 8 }, async (_, run) => {
      await using pair = await tlsPair();
      const random = (most: number) => 1 + Math.floor(Math.random() ** 3 * most);
      await Promise.all(
        sides(pair).map(async ([sender, receiver], side) => {
          const bytes = noise(600_000, 10 * run + side);
          const sending = (async () => {
            for (let at = 0; at < bytes.length;) {
              const piece = bytes.subarray(at, at + random(200_000));
              await send(sender, piece);
              at += piece.length;
            }
            await sender.closeWrite();
          })();
          const received = await readAll(receiver, undefined, () => random(100_000));
          await sending;
          assertEquals(await sha256(received), await sha256(bytes));
        }),
      );
    }));
  },
);

tlsTest(
  "bytes put back are read again; reads made while another is pending are served in order",
  async () => {
    await using pair = await tlsPair();
    const [one, other] = [new Uint8Array(2), new Uint8Array(3)];
    const reads = [pair.server.read(one), pair.server.read(other)];
    await send(pair.client, Uint8Array.of(1, 2, 3, 4, 5));
    assertEquals(await Promise.all(reads), [2, 3]);
    assertEquals([...one, ...other], [1, 2, 3, 4, 5]);
    pair.server.unread(Uint8Array.of(5));
    assertEquals(await pair.server.read(one), 1);
    assertEquals(one[0], 5);
  },
);

tlsTest(
  "a peer that ends without close_notify has cut the stream, one that sends it has finished",
  async () => {
    await using cut = await tlsPair();
    await send(cut.client, Uint8Array.of(1));
    cut.client.close();
    const buffer = new Uint8Array(8);
    assertEquals(await cut.server.read(buffer), 1);
    await assertRejects(() => cut.server.read(buffer), Deno.errors.UnexpectedEof);
    await using finished = await tlsPair();
    await send(finished.client, Uint8Array.of(1));
    await finished.client.closeWrite();
    assertEquals(await finished.server.read(buffer), 1);
    assertEquals(await finished.server.read(buffer), null);
    await send(finished.server, Uint8Array.of(2));
    assertEquals(await finished.client.read(buffer), 1, "the other half goes on");
  },
);

tlsTest(
  "close ends a handshake that the peer never completes, with the connection below, at once",
  async () => {
    const [accepted, dialed] = await tcpPair();
    const client = tlsClient(dialed, { host: "localhost", context: clientContext() });
    const handshake = client.handshake();
    await accepted.read(new Uint8Array(1024));
    client.close();
    await assertRejects(() => handshake, Error, "TLS handshake");
    assertEquals(await accepted.read(new Uint8Array(1024)), null);
    assertEquals(await client.read(new Uint8Array(1)).catch((error: Error) => error.name), "Interrupted");
    assertEquals(await client.write(new Uint8Array(1)).catch((error: Error) => error.name), "Interrupted");
    client.close();
    accepted.close();
  },
);

for (
  const [what, opening] of [
    ["a record that is too long", [0x16, 3, 1, 0xff, 0xff, 1]],
    ["a message of an unknown kind", [0x16, 3, 1, 0, 4, 99, 0, 0, 0]],
    ["half a ClientHello and an alert", [0x16, 3, 1, 0, 4, 1, 0, 1, 0, 0x15, 3, 1, 0, 2, 2, 0]],
    ["noise", [0x16, ...noise(500)]],
  ] as const
) {
  tlsTest(`${what} as the first bytes fails only the handshake`, async () => {
    await using certificate = await Certificate.create("first");
    using tls = new TlsServer("here", certificate.files);
    for (let run = 0; run < 20; run++) {
      const [accepted, dialed] = await tcpPair();
      await send(dialed, Uint8Array.from(opening));
      dialed.close();
      const server = await tls.accept(accepted);
      const error = await server?.handshake().catch((error: Error) => error);
      assertEquals(error?.name, "HandshakeError");
      server?.close();
    }
  });
}

tlsTest("after a failed write, data received before can still be read", async () => {
  await using pair = await tlsPair();
  await send(pair.client, Uint8Array.of(1, 2, 3));
  await pair.client.closeWrite();
  const write = pair.below.server.write;
  pair.below.server.write = () => Promise.reject(new Deno.errors.BrokenPipe("gone"));
  await assertRejects(() => pair.server.write(Uint8Array.of(9)), Deno.errors.BrokenPipe);
  await assertRejects(() => pair.server.closeWrite(), Deno.errors.BrokenPipe);
  pair.below.server.write = write;
  const buffer = new Uint8Array(8);
  assertEquals(await pair.server.read(buffer), 3);
  assertEquals(await pair.server.read(buffer), null);
});
