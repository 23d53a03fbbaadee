import { decodeText, hangingReads, readBytes, ReadError, readText } from "../../lib/util/read_file.ts";
import { assertEquals, assertRejects, assertThrows } from "../assert.ts";
import { until } from "../wait.ts";

/** A folder that is removed at the end of its scope. */
async function temporary() {
  const folder = await Deno.makeTempDir();
  return { folder, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

async function makeFifo(file: string): Promise<void> {
  const { success } = await new Deno.Command("mkfifo", { args: [file] }).output();
  assertEquals(success, true);
}

async function reasonOf(read: () => Promise<unknown>): Promise<string> {
  return (await assertRejects(read, ReadError)).reason;
}

/** Tests with a real FIFO. */
function fifoTest(name: string, fn: (fifo: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using place = await temporary();
      const fifo = `${place.folder}/routes.yaml`;
      await makeFifo(fifo);
      await fn(fifo);
    },
  });
}

Deno.test("a file is read whole, as bytes and as text without its byte order mark", async () => {
  await using place = await temporary();
  const file = `${place.folder}/a`;
  const text = "é".repeat(100_000);
  await Deno.writeTextFile(file, `\u{feff}${text}`);
  assertEquals(await readText(file), text);
  assertEquals((await readBytes(file)).length, 200_003);
});

Deno.test("an error names the file and the reason", async () => {
  await using place = await temporary();
  assertEquals(await reasonOf(() => readText(`${place.folder}/none`)), "there is no such file");
  assertEquals(await reasonOf(() => readText(place.folder)), "is a directory, expected a file");
  const { message } = await assertRejects(() => readText("no/such\nfile"), ReadError);
  assertEquals(message, "no/such\\u000afile: there is no such file");
});

Deno.test("a file over the cap is refused", async () => {
  await using place = await temporary();
  const file = `${place.folder}/a`;
  await Deno.writeFile(file, new Uint8Array((1 << 20) + 1));
  assertEquals(await reasonOf(() => readText(file)), "is larger than the maximum of 1 MiB");
  assertEquals((await readBytes(file, { maxBytes: (1 << 20) + 1 })).length, (1 << 20) + 1);
});

Deno.test("a file that is not UTF-8 is refused", () => {
  const { reason } = assertThrows(() => decodeText(Uint8Array.of(0xff), "a"), ReadError);
  assertEquals(reason, "is not text in UTF-8");
});

fifoTest("a FIFO is refused before it is opened", async (fifo) => {
  assertEquals(await reasonOf(() => readText(fifo)), "is a pipe (FIFO), expected a regular file");
});

fifoTest("a pipe that is permitted is read to its end", async (fifo) => {
  const [text] = await Promise.all([readText(fifo, { pipe: true }), Deno.writeTextFile(fifo, "hello")]);
  assertEquals(text, "hello");
});

fifoTest("a pipe that nobody writes to, and one that stays open, fail at the deadline", async (fifo) => {
  const expected = "could not be read within 50ms; check that its file system responds";
  assertEquals(await reasonOf(() => readText(fifo, { pipe: true, deadlineMs: 50 })), expected);
  using writer = await Deno.open(fifo, { read: true, write: true });
  assertEquals(await reasonOf(() => readText(fifo, { pipe: true, deadlineMs: 50 })), expected);
  await writer.write(new Uint8Array(1));
});

fifoTest(
  "reads that hang are bounded in number, and others work again once they have come back",
  async (fifo) => {
    const hung = Array.from(
      { length: 8 },
      () => reasonOf(() => readText(fifo, { pipe: true, deadlineMs: 50 })),
    );
    await Promise.all(hung);
    const refused = await reasonOf(() => readText(fifo));
    assertEquals(refused, "not read: 8 other reads hang; check that its file system responds");
    // a writer unblocks every reader
    using _writer = await Deno.open(fifo, { read: true, write: true });
    await until(() => hangingReads() === 0, "reads have come back", 20_000);
    assertEquals(await reasonOf(() => readText(fifo)), "is a pipe (FIFO), expected a regular file");
  },
);
