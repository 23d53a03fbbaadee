import { BatchedOutput, type Output } from "../../lib/observe/batched_output.ts";
import { assert, assertEquals } from "../assert.ts";
import { pause, until } from "../wait.ts";

const text = new TextDecoder();

/** An output that accepts at most `most` bytes at once, and records them. */
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

function lines(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `line ${index}\n`);
}

Deno.test("lines added in one turn are written as one piece, in order, before it closes", async () => {
  const output = outputOf(Infinity);
  const batched = new BatchedOutput(output);
  for (const line of "abc") assert(batched.add(line));
  await batched.close();
  assertEquals(output.taken, ["abc"]);
});

Deno.test("an output that accepts only a part gets the rest too", async () => {
  const output = outputOf(2);
  const batched = new BatchedOutput(output);
  batched.add("abcde");
  await batched.close();
  assertEquals(output.taken, ["ab", "cd", "e"]);
});

Deno.test("lines are written after a while, and soon if there are many", async () => {
  const output = outputOf(Infinity);
  const batched = new BatchedOutput(output);
  batched.add("few\n");
  await until(() => output.taken.length === 1, "the timer writes");
  const many = "x".repeat(1000);
  for (let line = 0; line < 100; line++) batched.add(many);
  await pause(0);
  assert(output.taken.length > 1, "nothing waits for the timer");
  await batched.close();
  assertEquals(output.taken.join("").length, 100_004);
});

Deno.test("while an output is slow lines are buffered up to the limit, and further ones are lost", async () => {
  const go = Promise.withResolvers<void>();
  const output = outputOf(Infinity);
  const slow: Output = {
    async write(bytes) {
      await go.promise;
      return await output.write(bytes);
    },
  };
  const batched = new BatchedOutput(slow, { maxLines: 10 });
  const closing = (batched.add("first\n"), batched.close());
  const kept = lines(20).filter((line) => batched.add(line));
  assertEquals(kept, lines(10));
  assert(batched.add("urgent\n", true));
  go.resolve();
  await closing;
  assertEquals(output.taken.join(""), ["first\n", ...kept, "urgent\n"].join(""));
});

Deno.test("lines of any length that wait while an output is slow arrive whole and in order", async () => {
  const go = Promise.withResolvers<void>();
  const output = outputOf(Infinity);
  const batched = new BatchedOutput({
    write: async (bytes) => (await go.promise, await output.write(bytes)),
  });
  const closing = (batched.add("first\n"), batched.close());
  const waiting = [1, 100_000, 3, 40_000, 90_000, 0].map((length, index) =>
    `${index}${"日".repeat(length)}é\n`
  );
  for (const line of waiting) assert(batched.add(line));
  go.resolve();
  await closing;
  assertEquals(output.taken, ["first\n", waiting.join("")]);
});

Deno.test("lines that are added while a batch is written do not change it", async () => {
  const taken: string[] = [];
  const batched = new BatchedOutput({
    async write(bytes) {
      // a slow output reads the bytes only after others were added
      await pause(5);
      taken.push(text.decode(bytes));
      return bytes.length;
    },
  });
  for (const line of lines(100)) {
    batched.add(line);
    if (line.endsWith("0\n")) await Promise.race([batched.addBatch(new Uint8Array()), pause(2)]);
  }
  await batched.close();
  assertEquals(taken.join(""), lines(100).join(""));
});

Deno.test("a failed write is continued at the byte where it failed, however often it fails", async () => {
  const output = outputOf(2);
  let failures = 0;
  const batched = new BatchedOutput({
    write(bytes) {
      if (output.taken.length === 1 && failures < 3) return Promise.reject(new Error(`full ${failures++}`));
      return output.write(bytes);
    },
  });
  batched.add("abcde");
  await batched.close();
  assertEquals([failures, output.taken], [3, ["ab", "cd", "e"]]);
});

Deno.test("it shows why the last write failed until one succeeds, and gives up when disposed of", async () => {
  let full = true;
  const failing = () => full ? Promise.reject(new Error("disk full")) : Promise.resolve(1);
  const output = new BatchedOutput({ write: failing });
  output.add("a");
  await until(() => output.failure instanceof Error && !output.idle, "it has failed");
  full = false;
  await until(() => output.idle, "it is written");
  assertEquals(output.failure, undefined);
  full = true;
  output.add("b");
  output[Symbol.dispose]();
  await output.close();
});

Deno.test({
  name: "a file system that is full for a while loses nothing",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using full = await Deno.open("/dev/full", { write: true });
    const file = await Deno.makeTempFile();
    try {
      using free = await Deno.open(file, { write: true });
      let current = full;
      const output = new BatchedOutput({ write: (bytes) => current.write(bytes) });
      output.add("one ");
      await until(() => output.failure !== undefined, "writing has failed");
      assert(/No space left on device/.test(String(output.failure)), String(output.failure));
      current = free;
      output.add("two");
      await output.close();
      assertEquals(await Deno.readTextFile(file), "one two");
    } finally {
      await Deno.remove(file);
    }
  },
});
