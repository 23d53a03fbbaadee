import { encodeId } from "../../lib/frame/tlv.ts";
import { LINGER_MOST, lingeringClose, shareLingering } from "../../lib/transport/linger.ts";
import { TcpDuplex } from "../../lib/transport/tcp.ts";
import { assertEquals } from "../assert.ts";
import { until } from "../wait.ts";

const ID = encodeId("1");

Deno.test("500 refused connections may linger; beyond that the oldest is closed", () => lingers(1, 500));

Deno.test("several threads share the limit", async () => {
  try {
    await lingers(3, 167);
  } finally {
    shareLingering(1);
  }
});

async function lingers(threads: number, most: number): Promise<void> {
  shareLingering(threads);
  const ended: number[] = [];
  const waiting: (() => void)[] = [];
  /** A peer that receives its ERROR frame and stays open. */
  const stayer = (index: number) => {
    const { promise, resolve } = Promise.withResolvers<null>();
    const close = () => {
      if (!ended.includes(index)) ended.push(index);
      resolve(null);
    };
    waiting.push(close);
    return new TcpDuplex({
      read: () => promise,
      write: (bytes) => Promise.resolve(bytes.length),
      closeWrite: () => Promise.resolve(),
      setNoDelay: () => {},
      [Symbol.dispose]: close,
    });
  };
  const turning = Array.from({ length: most + 3 }, (_, index) => lingeringClose(stayer(index), ID));
  await turning[2];
  assertEquals(ended, [0, 1, 2]);
  for (const close of waiting) close();
  await Promise.all(turning);
}

Deno.test("many clients that are refused at the same moment all get the reason", async () => {
  const told = new Set<number>();
  /** A peer whose socket accepts the ERROR frame late, unless it is closed by then, and that then stays open. */
  const stayer = (index: number) => {
    const { promise: closed, reject } = Promise.withResolvers<never>();
    closed.catch(() => {});
    const taking = (bytes: Uint8Array) =>
      new Promise<number>((resolve) => setTimeout(resolve, 0, bytes.length));
    return new TcpDuplex({
      read: () => closed,
      write: (bytes) => Promise.race([closed, taking(bytes)]),
      closeWrite: () => Promise.resolve(void told.add(index)),
      setNoDelay: () => {},
      [Symbol.dispose]: () => reject(new Deno.errors.Interrupted("closed")),
    });
  };
  const peers = Array.from({ length: 3 * LINGER_MOST }, (_, index) => stayer(index));
  const turning = peers.map((peer) => lingeringClose(peer, ID));
  await turning[0];
  await until(() => told.size === peers.length, "all have been told");
  for (const peer of peers) peer.close();
  await Promise.all(turning);
});
