import { DuplexReadable, writableOf } from "../../lib/transport/streams.ts";
import { TcpDuplex } from "../../lib/transport/tcp.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { noise, receiveAll, send, sha256 } from "../bytes.ts";
import { pair } from "./pair.ts";

for (const way of ["the duplex", "its writable"] as const) {
  Deno.test(`piping into ${way} passes on every byte and the end`, async () => {
    using source = await pair();
    using sink = await pair();
    const [from, to] = [new TcpDuplex(source.near), new TcpDuplex(sink.near)];
    const bytes = noise(1 << 20);
    const sending = send(source.far, bytes).then(() => source.far.closeWrite());
    const piping = new DuplexReadable(from).pipeTo(way === "the duplex" ? to : writableOf(to));
    assertEquals(await sha256(await receiveAll(sink.far)), await sha256(bytes));
    await Promise.all([sending, piping]);
    // the other direction continues
    await send(sink.far, Uint8Array.of(1));
    assertEquals(await to.read(new Uint8Array(1)), 1);
  });

  Deno.test(`piping into ${way} that is closed fails and ends the source`, async () => {
    using source = await pair();
    using sink = await pair();
    const [from, to] = [new TcpDuplex(source.near), new TcpDuplex(sink.near)];
    to.close();
    await send(source.far, Uint8Array.of(1));
    await assertRejects(() => new DuplexReadable(from).pipeTo(way === "the duplex" ? to : writableOf(to)));
    assertEquals((await receiveAll(source.far)).length, 0);
  });

  Deno.test(`a stream being piped into ${way} is locked`, async () => {
    using source = await pair();
    using sink = await pair();
    const [from, to] = [new TcpDuplex(source.near), new TcpDuplex(sink.near)];
    const readable = new DuplexReadable(from);
    const piping = readable.pipeTo(way === "the duplex" ? to : writableOf(to));
    assert(readable.locked);
    await assertRejects(() => readable.pipeTo(to));
    await source.far.closeWrite();
    await piping;
    assert(!readable.locked);
  });
}

Deno.test("the receiving half is a ReadableStream in every way", async () => {
  const text = async (stream: ReadableStream<Uint8Array>) => await new Response(stream).text();
  const ways: Record<string, (readable: DuplexReadable) => Promise<string>> = {
    reader: async (readable) => {
      const reader = readable.getReader();
      assert(readable.locked);
      const { value } = await reader.read();
      reader.releaseLock();
      return new TextDecoder().decode(value);
    },
    pipeThrough: (readable) => text(readable.pipeThrough(new TransformStream())),
    tee: async (readable) => (await Promise.all(readable.tee().map(text))).join("").slice(3),
    iteration: async (readable) => new TextDecoder().decode((await Array.fromAsync(readable))[0]),
  };
  for (const [name, way] of Object.entries(ways)) {
    using ends = await pair();
    const readable = new DuplexReadable(new TcpDuplex(ends.near));
    assert(readable instanceof ReadableStream);
    await send(ends.far, new TextEncoder().encode("abc"));
    await ends.far.closeWrite();
    assertEquals(await way(readable), "abc", name);
  }
});

Deno.test("cancelling the receiving half closes the connection", async () => {
  using ends = await pair();
  await new DuplexReadable(new TcpDuplex(ends.near)).cancel();
  assertEquals((await receiveAll(ends.far)).length, 0);
});
