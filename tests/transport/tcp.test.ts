import { type Socket, TcpDuplex } from "../../lib/transport/tcp.ts";
import { assertEquals } from "../assert.ts";
import { send } from "../bytes.ts";
import { pair } from "./pair.ts";

Deno.test("bytes put back are read again first, in pieces if the buffer is small", async () => {
  using ends = await pair();
  const duplex = new TcpDuplex(ends.near);
  await send(ends.far, Uint8Array.of(4));
  duplex.unread(Uint8Array.of(1, 2, 3));
  const buffer = new Uint8Array(2);
  const got: number[] = [];
  while (got.length < 4) got.push(...buffer.subarray(0, await duplex.read(buffer) ?? 0));
  assertEquals(got, [1, 2, 3, 4]);
});

Deno.test("Nagle's algorithm is off before the first write that it could delay", async () => {
  for (
    const [lengths, expected] of [[[6], "6"], [[6, 1, 1], "6 off 1 1"], [[537, 1], "off 537 1"]] as const
  ) {
    const calls: (number | "off")[] = [];
    const socket: Socket = {
      read: () => Promise.resolve(null),
      write: ({ length }) => Promise.resolve(calls.push(length)).then(() => length),
      closeWrite: () => Promise.resolve(),
      setNoDelay: () => void calls.push("off"),
      [Symbol.dispose]: () => {},
    };
    const duplex = new TcpDuplex(socket);
    for (const length of lengths) await duplex.write(new Uint8Array(length));
    assertEquals(calls.join(" "), expected);
  }
});
