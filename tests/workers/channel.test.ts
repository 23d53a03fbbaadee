import { Channel } from "../../lib/workers/channel.ts";
import { assertEquals, assertRejects } from "../assert.ts";

interface Sums {
  add(one: number, other: number): number;
  fail(): Promise<never>;
}

function connected() {
  const other = new Channel({ postMessage: (message) => queueMicrotask(() => one.receive(message)) }, {
    add: (one: number, other: number) => one + other,
    fail: () => Promise.reject(new Error("it has failed")),
  });
  const one: Channel<Sums> = new Channel<Sums>(
    { postMessage: (message) => queueMicrotask(() => other.receive(structuredClone(message))) },
    {},
  );
  return one;
}

Deno.test("each call gets its own result, or the text of the error", async () => {
  const channel = connected();
  assertEquals(await Promise.all([channel.call("add", 1, 2), channel.call("add", 3, 4)]), [3, 7]);
  await assertRejects(() => channel.call("fail"), Error, "it has failed");
});

Deno.test("a call without a handler is an error", async () => {
  const channel = connected() as unknown as Channel<{ other(): void }>;
  await assertRejects(() => channel.call("other"), Error, "no handler for other");
});

Deno.test("a channel that breaks rejects pending and later calls", async () => {
  const channel = new Channel<Sums>({ postMessage: () => {} }, {});
  const waiting = channel.call("add", 1, 2);
  channel.break(new Error("gone"));
  await assertRejects(() => waiting, Error, "gone");
  await assertRejects(() => channel.call("add", 1, 2), Error, "gone");
});
