import { BatchedOutput, type Output } from "../../lib/observe/batched_output.ts";
import { assert, assertEquals } from "../assert.ts";
import { pause, until } from "../wait.ts";

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

function writerTo(output: Output) {
  return new BatchedOutput(output).stream.getWriter();
}

Deno.test("pieces written in one turn go out as one, in order, before the stream closes", async () => {
  const output = outputOf(Infinity);
  const writer = writerTo(output);
  for (const piece of "abc") await writer.write(new TextEncoder().encode(piece));
  await writer.close();
  assertEquals(output.taken, ["abc"]);
});

Deno.test("an output that takes only a part gets the rest too", async () => {
  const output = outputOf(2);
  const writer = writerTo(output);
  await writer.write(new TextEncoder().encode("abcde"));
  await writer.close();
  assertEquals(output.taken, ["ab", "cd", "e"]);
});

Deno.test("whoever writes waits while an output is slow", async () => {
  const go = Promise.withResolvers<void>();
  const writer = writerTo({
    async write(bytes) {
      await go.promise;
      return bytes.length;
    },
  });
  let written = 0;
  const writing = (async () => {
    for (; written < 100; written++) await writer.write(new Uint8Array(10_000));
  })();
  await pause(50);
  assert(written < 20, `${written} pieces of 10 kB were taken without anybody reading`);
  go.resolve();
  await writing;
  await writer.close();
});

Deno.test("a failed write goes on at the byte where it failed, however often it fails", async () => {
  const output = outputOf(2);
  let failures = 0;
  const writer = writerTo({
    write(bytes) {
      if (output.taken.length === 1 && failures < 3) return Promise.reject(new Error(`full ${failures++}`));
      return output.write(bytes);
    },
  });
  await writer.write(new TextEncoder().encode("abcde"));
  await writer.close();
  assertEquals([failures, output.taken], [3, ["ab", "cd", "e"]]);
});

Deno.test("it shows why the last write failed until one succeeds, and gives up when disposed of", async () => {
  let full = true;
  const failing = () => full ? Promise.reject(new Error("disk full")) : Promise.resolve(1);
  const output = new BatchedOutput({ write: failing });
  const writer = output.stream.getWriter();
  await writer.write(new Uint8Array(1));
  await until(() => output.failure instanceof Error && !output.idle, "it has failed");
  full = false;
  await until(() => output.idle, "it is written");
  assertEquals(output.failure, undefined);
  full = true;
  await writer.write(new Uint8Array(1));
  output[Symbol.dispose]();
  await writer.close();
});

Deno.test({
  name: "a file system that is full, and then is not, loses nothing",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using full = await Deno.open("/dev/full", { write: true });
    const file = await Deno.makeTempFile();
    try {
      using free = await Deno.open(file, { write: true });
      let current = full;
      const output = new BatchedOutput({ write: (bytes) => current.write(bytes) });
      const writer = output.stream.getWriter();
      await writer.write(new TextEncoder().encode("one "));
      await until(() => output.failure !== undefined, "writing has failed");
      assert(/No space left on device/.test(String(output.failure)), String(output.failure));
      current = free;
      await writer.write(new TextEncoder().encode("two"));
      await writer.close();
      assertEquals(await Deno.readTextFile(file), "one two");
    } finally {
      await Deno.remove(file);
    }
  },
});
