import { batchesTo } from "../../lib/observe/batched_output.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";

const text = new TextDecoder();

/** An output that takes at most `most` bytes at once, and remembers what it took. */
function outputOf(most: number) {
  const taken: string[] = [];
  return {
    taken,
    write(bytes: Uint8Array) {
      const part = bytes.slice(0, most);
      taken.push(text.decode(part));
      return Promise.resolve(part.length);
    },
  };
}

Deno.test("pieces written in one turn go out as one, in order, before the stream closes", async () => {
  const output = outputOf(Infinity);
  const writer = batchesTo(output).getWriter();
  for (const piece of "abc") await writer.write(new TextEncoder().encode(piece));
  await writer.close();
  assertEquals(output.taken, ["abc"]);
});

Deno.test("an output that takes only a part gets the rest too", async () => {
  const output = outputOf(2);
  const writer = batchesTo(output).getWriter();
  await writer.write(new TextEncoder().encode("abcde"));
  await writer.close();
  assertEquals(output.taken, ["ab", "cd", "e"]);
});

Deno.test("whoever writes waits while an output is slow", async () => {
  const go = Promise.withResolvers<void>();
  const writer = batchesTo({
    async write(bytes) {
      await go.promise;
      return bytes.length;
    },
  }).getWriter();
  let written = 0;
  const writing = (async () => {
    for (; written < 100; written++) await writer.write(new Uint8Array(10_000));
  })();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert(written < 20, `${written} pieces of 10 kB were taken without anybody reading`);
  go.resolve();
  await writing;
  await writer.close();
});

Deno.test("an output that fails is told to whoever writes next, and when closing", async () => {
  for (const next of ["write", "close"] as const) {
    const writer = batchesTo({ write: () => Promise.reject(new Error("disk full")) }).getWriter();
    writer.closed.catch(() => {});
    await writer.write(new Uint8Array(1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await assertRejects(() => next === "write" ? writer.write(new Uint8Array(1)) : writer.close());
  }
});
