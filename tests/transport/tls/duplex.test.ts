import { type Duplex, writeAll } from "../../../lib/transport/duplex.ts";
import { TcpDuplex } from "../../../lib/transport/tcp.ts";
import { clientContext, tlsClient } from "../../../lib/transport/tls/client.ts";
import type { HandshakeError, TlsDuplex } from "../../../lib/transport/tls/duplex.ts";
import { TlsServer } from "../../../lib/transport/tls/server.ts";
import { sleep } from "../../../lib/util/async.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { Certificate, hasOpenssl } from "../../certificates.ts";
import { noise, sha256 } from "../../bytes.ts";
import { sized } from "../../soak.ts";

function test(name: string, fn: () => Promise<void>) {
  Deno.test({ name, ignore: !hasOpenssl, fn });
}

/** Both ends of a TCP connection. */
async function tcpPair(): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const dialing = Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  return [await listener.accept(), await dialing];
}

/** A duplex that counts what is read from it. */
class Counted extends TcpDuplex {
  bytes = 0;

  override async read(buffer: Uint8Array): Promise<number | null> {
    const count = await super.read(buffer);
    this.bytes += count ?? 0;
    return count;
  }
}

interface Pair extends AsyncDisposable {
  readonly server: TlsDuplex;
  readonly client: TlsDuplex;
  /** What carries the records of each. */
  readonly below: { readonly server: Counted; readonly client: Counted };
}

/** Both ends of a TLS connection, after their handshakes. */
async function tlsPair(): Promise<Pair> {
  const certificate = await Certificate.create("pair");
  const tls = new TlsServer("here", certificate.files);
  const [accepted, dialed] = await tcpPair();
  const below = { server: new Counted(accepted), client: new Counted(dialed) };
  const client = tlsClient(below.client, { host: "localhost", context: clientContext(certificate.pem) });
  const shaken = client.handshake();
  const server = await tls.accept(below.server);
  assert(server);
  await Promise.all([server.handshake(), shaken]);
  tls[Symbol.dispose]();
  return {
    server,
    client,
    below,
    async [Symbol.asyncDispose]() {
      server.close();
      client.close();
      await certificate[Symbol.asyncDispose]();
    },
  };
}

async function readAll(
  from: Duplex,
  pause = () => Promise.resolve(),
  size = () => 64 << 10,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (;;) {
    const buffer = new Uint8Array(size());
    const count = await from.read(buffer);
    if (count === null) return new Uint8Array(await new Blob(chunks).arrayBuffer());
    chunks.push(buffer.subarray(0, count));
    await pause();
  }
}

const sides = (pair: Pair) => [[pair.server, pair.client], [pair.client, pair.server]] as const;

test("the end of a stream is not lost behind a reader that pauses, whatever the length", async () => {
  const runs = sized(20, 0.4);
  await Promise.all(Array.from({ length: runs }, async (_, run) => {
    await using pair = await tlsPair();
    const pause = () => Math.random() < 0.3 ? sleep(Math.random() * 10) : Promise.resolve();
    for (const [index, [sender, receiver]] of sides(pair).entries()) {
      const bytes = noise(150_000 + Math.round(run * 800_000 / runs), run + index);
      const sending = writeAll(sender, bytes).then(() => sender.closeWrite());
      const received = await readAll(receiver, pause);
      await sending;
      assertEquals([received.length, await sha256(received)], [bytes.length, await sha256(bytes)]);
    }
  }));
});

test("8 MB to a reader that pauses after the sender has finished arrive whole, both ways", async () => {
  await using pair = await tlsPair();
  for (const [sender, receiver] of sides(pair)) {
    const bytes = noise(8_000_000);
    let finished = false;
    const sending = writeAll(sender, bytes).then(() => sender.closeWrite()).then(() =>
      void (finished = true)
    );
    await sleep(700);
    assert(!finished, "backpressure holds the sender");
    assertEquals(await sha256(await readAll(receiver)), await sha256(bytes));
    await sending;
  }
});

for (const way of ["to the client", "to the server"] as const) {
  test(`${way}: a reader that takes nothing stalls the sender, and nothing is read ahead for it`, async () => {
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
  });
}

/** The value once it no longer changes. */
async function settled(value: () => number): Promise<number> {
  for (let last = -1; last !== value();) {
    last = value();
    await sleep(150);
  }
  return value();
}

test("bytes written and read in random pieces, both ways at once, arrive in order and whole", async () => {
  await Promise.all(Array.from({ length: 8 }, async (_, run) => {
    await using pair = await tlsPair();
    const random = (most: number) => 1 + Math.floor(Math.random() ** 3 * most);
    await Promise.all(
      sides(pair).map(async ([sender, receiver], side) => {
        const bytes = noise(600_000, 10 * run + side);
        const sending = (async () => {
          for (let at = 0; at < bytes.length;) {
            const piece = bytes.subarray(at, at + random(200_000));
            await writeAll(sender, piece);
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
});

test("bytes put back are read again; reads made while another is pending are served in order", async () => {
  await using pair = await tlsPair();
  const [one, other] = [new Uint8Array(2), new Uint8Array(3)];
  const reads = [pair.server.read(one), pair.server.read(other)];
  await writeAll(pair.client, Uint8Array.of(1, 2, 3, 4, 5));
  assertEquals(await Promise.all(reads), [2, 3]);
  assertEquals([...one, ...other], [1, 2, 3, 4, 5]);
  pair.server.unread(Uint8Array.of(5));
  assertEquals(await pair.server.read(one), 1);
  assertEquals(one[0], 5);
});

test("a peer that ends without close_notify has cut the stream, one that sends it has finished", async () => {
  await using cut = await tlsPair();
  await writeAll(cut.client, Uint8Array.of(1));
  cut.client.close();
  const buffer = new Uint8Array(8);
  assertEquals(await cut.server.read(buffer), 1);
  await assertRejects(() => cut.server.read(buffer), Deno.errors.UnexpectedEof);
  await using finished = await tlsPair();
  await writeAll(finished.client, Uint8Array.of(1));
  await finished.client.closeWrite();
  assertEquals(await finished.server.read(buffer), 1);
  assertEquals(await finished.server.read(buffer), null);
  await writeAll(finished.server, Uint8Array.of(2));
  assertEquals(await finished.client.read(buffer), 1, "the other half goes on");
});

test("close ends a handshake that the peer never completes, at once and below too", async () => {
  const [accepted, dialed] = await tcpPair();
  const client = tlsClient(new TcpDuplex(dialed), { host: "localhost", context: clientContext() });
  const handshake = client.handshake();
  await accepted.read(new Uint8Array(1024));
  client.close();
  await assertRejects(() => handshake, Error, "TLS handshake");
  assertEquals(await accepted.read(new Uint8Array(1024)), null);
  assertEquals(await client.read(new Uint8Array(1)).catch((error: Error) => error.name), "Interrupted");
  assertEquals(await client.write(new Uint8Array(1)).catch((error: Error) => error.name), "Interrupted");
  client.close();
  accepted.close();
});

for (
  const [what, opening] of [
    ["a record that is too long", [0x16, 3, 1, 0xff, 0xff, 1]],
    ["a message of an unknown kind", [0x16, 3, 1, 0, 4, 99, 0, 0, 0]],
    ["half a ClientHello and an alert", [0x16, 3, 1, 0, 4, 1, 0, 1, 0, 0x15, 3, 1, 0, 2, 2, 0]],
    ["noise", [0x16, ...noise(500)]],
  ] as const
) {
  test(`${what} as the first bytes fails the handshake, and nothing else`, async () => {
    await using certificate = await Certificate.create("first");
    using tls = new TlsServer("here", certificate.files);
    for (let run = 0; run < 20; run++) {
      const [accepted, dialed] = await tcpPair();
      await writeAll(dialed, Uint8Array.from(opening));
      dialed.close();
      const server = await tls.accept(new TcpDuplex(accepted));
      const error = await server?.handshake().catch((error: HandshakeError) => error);
      assertEquals(error?.name, "HandshakeError");
      server?.close();
    }
  });
}

test("after a failed write, data received before can still be read", async () => {
  await using pair = await tlsPair();
  await writeAll(pair.client, Uint8Array.of(1, 2, 3));
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
