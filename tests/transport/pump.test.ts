import { newFlow } from "../../lib/transport/duplex.ts";
import { pump } from "../../lib/transport/pump.ts";
import { type Socket, TcpDuplex } from "../../lib/transport/tcp.ts";
import { assertEquals } from "../assert.ts";
import { send } from "../bytes.ts";
import { until } from "../wait.ts";
import { pair } from "./pair.ts";

Deno.test("bytes count as written as soon as they are accepted, not after the whole chunk", async () => {
  using source = await pair();
  const taken = Promise.withResolvers<number>();
  const flow = newFlow();
  const slow: Socket = {
    read: () => Promise.resolve(null),
    // accepts one byte, and then nothing more until the test lets it
    write: () => flow.written === 0 ? Promise.resolve(1) : taken.promise,
    closeWrite: () => Promise.resolve(),
    setNoDelay: () => {},
    [Symbol.dispose]: () => {},
  };
  const [from, to] = [new TcpDuplex(source.near), new TcpDuplex(slow)];
  await send(source.far, new Uint8Array(4));
  await source.far.closeWrite();
  const piping = pump(from, to, flow, {}, () => {});
  await until(() => flow.written === 1, "the byte that was taken is counted");
  taken.resolve(3);
  await piping;
  assertEquals(flow, { read: 4, written: 4, finished: true });
});
