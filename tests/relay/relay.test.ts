import { newFlow } from "../../lib/transport/duplex.ts";
import { type Socket, TcpDuplex } from "../../lib/transport/tcp.ts";
import { relay } from "../../lib/relay/relay.ts";
import { assert, assertEquals } from "../assert.ts";
import { concat, ID, noise, receive, receiveAll, send, sha256 } from "../bytes.ts";
import { overEach, startEchoing, startPath } from "../fixture.ts";
import { sized } from "../soak.ts";
import { pause, until } from "../wait.ts";

/** Size of a stream, in MiB. */
const SIZE = sized(50);
const BYTES = SIZE << 20;

overEach(`${SIZE} MiB each way at once arrive whole`, async (transport) => {
  const [up, down] = [noise(BYTES, 1), noise(BYTES, 2)];
  let got: Promise<string> | undefined;
  await using balancer = startPath(async (conn) => {
    got = receiveAll(conn).then((all) => sha256(all.subarray(ID.length)));
    await send(conn, down);
    await conn.closeWrite();
    await got;
  });
  using client = await balancer.connectOver(transport);
  const sending = send(client, concat(ID, up)).then(() => client.closeWrite());
  const received = await receiveAll(client);
  await sending;
  assertEquals(await sha256(received), await sha256(down));
  assertEquals(await got, await sha256(up));
});

overEach(`a client that has finished sending still gets ${SIZE} MiB`, async (transport) => {
  const down = noise(BYTES);
  await using balancer = startPath(async (conn) => {
    await receiveAll(conn);
    await send(conn, down);
  });
  using client = await balancer.connectOver(transport);
  await send(client, ID);
  await client.closeWrite();
  assertEquals(await sha256(await receiveAll(client)), await sha256(down));
});

overEach(`an upstream that has finished sending still gets ${SIZE} MiB`, async (transport) => {
  const up = noise(BYTES);
  const got = Promise.withResolvers<string>();
  await using balancer = startPath(async (conn) => {
    await conn.closeWrite();
    got.resolve(await sha256((await receiveAll(conn)).subarray(ID.length)));
  });
  using client = await balancer.connectOver(transport);
  await send(client, ID);
  assertEquals((await receiveAll(client)).length, 0);
  await send(client, up);
  await client.closeWrite();
  assertEquals(await got.promise, await sha256(up));
});

/** A socket that returns `chunks` and then ends, and whose writes `write` handles. */
function stubSocket(chunks: Uint8Array[], write: Socket["write"]): Socket {
  return {
    async read(buffer) {
      await pause(5);
      const chunk = chunks.shift();
      if (!chunk) return null;
      buffer.set(chunk);
      return chunk.length;
    },
    write,
    closeWrite: () => Promise.resolve(),
    setNoDelay: () => {},
    [Symbol.dispose]: () => {},
  };
}

Deno.test("bytes of an upstream that has stopped reading are still delivered", async () => {
  const got: number[] = [];
  const client = new TcpDuplex(stubSocket([Uint8Array.of(9)], (bytes) => {
    got.push(...bytes);
    return Promise.resolve(bytes.length);
  }));
  const upstream = new TcpDuplex(stubSocket(
    [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)],
    () => Promise.reject(new Deno.errors.BrokenPipe("broken pipe")),
  ));
  const ending = await relay(client, upstream, newFlow(), newFlow());
  assertEquals(got, [1, 2, 3]);
  assertEquals(ending.reason, "upstream_reset");
});

overEach("bytes of an upstream that sends first arrive before the client sends more", async (transport) => {
  await using balancer = startPath(async (conn) => {
    await send(conn, new TextEncoder().encode("hello"));
    await receiveAll(conn);
  });
  using client = await balancer.connectOver(transport);
  await send(client, ID);
  assertEquals(new TextDecoder().decode(await receive(client, 5)), "hello");
});

overEach("a fast sender waits for a reader that has stopped", async (transport) => {
  const release = Promise.withResolvers<void>();
  await using balancer = startPath(async (conn) => {
    await receive(conn, ID.length);
    await release.promise;
  });
  using client = await balancer.connectOver(transport);
  await send(client, ID);
  let sent = 0;
  const sending = (async () => {
    try {
      for (;;) sent += await client.write(new Uint8Array(64 << 10));
    } catch {
      // the upstream is closed with unread data
    }
  })();
  let last = { sent: -1, at: 0 };
  await until(() => {
    if (sent !== last.sent) last = { sent, at: performance.now() };
    return performance.now() - last.at > 300;
  }, "the sender has stalled");
  // the kernel's buffers, and one of the relay
  assert(sent < 64 << 20, `${sent} bytes were taken`);
  release.resolve();
  await sending;
});

overEach("with forward_id: false the upstream does not get the ID frame", async (transport) => {
  await using balancer = startEchoing({ forward_id: false });
  using client = await balancer.connectOver(transport);
  await send(client, concat(ID, Uint8Array.of(7, 8, 9)));
  await client.closeWrite();
  assertEquals([...await receiveAll(client)], [7, 8, 9]);
});

overEach("no connection stays open when its upstream closes", async (transport) => {
  await using balancer = startPath(async (conn) => {
    await receive(conn, ID.length + 1);
  });
  for (let round = 0; round < 20; round++) {
    using client = await balancer.connectOver(transport);
    await send(client, concat(ID, Uint8Array.of(1)));
    assertEquals((await receiveAll(client)).length, 0);
  }
  await until(() => balancer.balancer.active === 0, "no connection is open");
});
