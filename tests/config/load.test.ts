import { UsageError } from "../../lib/errors.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { assertEquals, assertLess, assertRejects } from "../assert.ts";

const ROUTES = "routes:\n  - { id: 1, host: n1.example.com, port: 7777 }\n";

/** A file that is removed at the end of its scope. */
async function temporary(content: string | Uint8Array) {
  const path = await Deno.makeTempFile({ suffix: ".yaml" });
  await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

async function problemOf(path: string): Promise<string> {
  const { message } = await assertRejects(() => loadConfig(path), UsageError);
  return message.replace(path, "FILE");
}

Deno.test("the routes.yaml of the repository is that of the scenario", async () => {
  const { routes } = await loadConfig(new URL("../../routes.yaml", import.meta.url).pathname);
  assertEquals(routes, [
    { id: "1", host: "n1.example.com", port: 7777 },
    { id: "2", host: "n2.example.com", port: 9999 },
    { id: "3", host: "n2.example.com", port: 9999 },
  ]);
});

for (
  const [name, content] of [["a byte order mark", `\u{feff}${ROUTES}`], [
    "CRLF",
    ROUTES.replaceAll("\n", "\r\n"),
  ]]
) {
  Deno.test(`a file with ${name} is read`, async () => {
    await using file = await temporary(content ?? "");
    assertEquals((await loadConfig(file.path)).routes.length, 1);
  });
}

Deno.test("a file that does not exist is named", async () => {
  assertEquals(await problemOf("no/such/file.yaml"), "FILE: there is no such file");
});

Deno.test("a directory is not a configuration", async () => {
  assertEquals(
    await problemOf(new URL(".", import.meta.url).pathname),
    "FILE: is a directory, expected a file",
  );
});

Deno.test("an impossible file name is refused in one line", async () => {
  const { problems } = await assertRejects(() => loadConfig("a\0b"), UsageError);
  assertEquals(problems.length, 1);
});

Deno.test("the error for an empty file names the missing field", async () => {
  await using file = await temporary("");
  assertEquals(await problemOf(file.path), "FILE: is empty; expected at least the field routes");
});

Deno.test("a file that is not UTF-8 is refused", async () => {
  await using file = await temporary(new Uint8Array([0xff, 0xfe, 0x72, 0]));
  assertEquals(await problemOf(file.path), "FILE: is not text in UTF-8");
});

Deno.test("a file of 50 MB is refused without a hang", async () => {
  await using file = await temporary(new Uint8Array(50_000_000).fill(0x61));
  const start = performance.now();
  assertEquals(await problemOf(file.path), "FILE: is larger than the maximum of 16 MiB");
  assertLess(performance.now() - start, 10_000);
});

Deno.test("a problem within the file names the file and the field", async () => {
  await using file = await temporary(ROUTES.replace("7777", "77777"));
  assertEquals(
    await problemOf(file.path),
    "FILE:2:42: routes[0].port: found 77777, expected a port, 1 to 65535",
  );
});
