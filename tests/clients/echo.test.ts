/** Other WebSocket clients send 10 MB in messages of odd sizes through the balancer, and get them back (`echo.js`, `echo.py`). */

import { createHash } from "node:crypto";
import { WebSocket as NpmWebSocket } from "ws";
import { assertEquals } from "../assert.ts";
import { send } from "../bytes.ts";
import { startPath } from "../fixture.ts";
import { runTool, type Tool, TOOLS } from "./tools.ts";
import { CHROMIUM } from "../browser/chromium.ts";
import { openPage } from "../browser/pages.ts";
import { echo } from "./echo.js";

type Echoed = Awaited<ReturnType<typeof echo>>;

const script = (name: string) => new URL(name, import.meta.url).pathname;

Deno.test("the WebSocket of Deno gets 10 MB back", () => check((url) => echo(WebSocket, url)));

Deno.test("the WebSocket of npm's ws gets 10 MB back", () => check((url) => echo(NpmWebSocket, url)));

Deno.test({
  name: "the WebSocket of Node gets 10 MB back",
  ignore: TOOLS.nodeWebSocket === undefined,
  fn: () => {
    const program = `
      const { echo } = await import(process.argv[1]);
      console.log(JSON.stringify(await echo(WebSocket, process.argv[2])));
    `;
    const words = ["--input-type=module", "-e", program, script("echo.js")];
    return check((url) => outputOf(TOOLS.nodeWebSocket, [...words, url]));
  },
});

Deno.test({
  name: "Python's websockets gets 10 MB back",
  ignore: TOOLS.pythonWebSockets === undefined,
  fn: () => check((url) => outputOf(TOOLS.pythonWebSockets, [script("echo.py"), url])),
});

Deno.test({
  name: "the WebSocket of Chromium gets 10 MB back",
  ignore: CHROMIUM === undefined,
  fn: () =>
    check(async (url) => {
      const program = await Deno.readTextFile(script("echo.js"));
      await using page = await openPage({ "/echo.js": program });
      return await page.evaluate<Echoed>(`import("/echo.js").then(({ echo }) => echo(WebSocket, "${url}"))`);
    }),
});

async function outputOf(tool: Tool | undefined, args: readonly string[]): Promise<Echoed> {
  if (!tool) throw new Error("the test should be ignored");
  const { code, stdout, stderr } = await runTool(tool, args);
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

/** Runs a client against a balancer with an echo, which hashes the bytes it receives as well. */
async function check(client: (url: string) => Promise<Echoed>): Promise<void> {
  const passed = createHash("sha256");
  await using balancer = startPath(async (conn) => {
    const buffer = new Uint8Array(64 << 10);
    for (let count; (count = await conn.read(buffer)) !== null;) {
      passed.update(buffer.subarray(0, count));
      await send(conn, buffer.subarray(0, count));
    }
  }, { forward_id: false });
  const { sent, received, code, protocol } = await client(`ws://127.0.0.1:${balancer.port}/`);
  assertEquals(received, sent);
  assertEquals(passed.digest("hex"), sent);
  assertEquals([code, protocol], [1000, "tlv"]);
}
