/** Runs every program of docs/clients.md as it is shown; tests/browser/ runs the JavaScript in a browser as well. */

import { AcceptanceServer } from "../../lib/acceptance/server.ts";
import { assertEquals, assertMatch } from "../assert.ts";
import { configTo, startBalancer } from "../fixture.ts";
import { SOAK } from "../soak.ts";
import { blocks, programs } from "./page.ts";
import { runTool, type Tool, TOOLS } from "./tools.ts";

const DENO: Tool = [
  Deno.execPath(),
  "run",
  "--quiet",
  SOAK ? "--check" : "--no-check",
  "--no-config",
  "--allow-net",
  "--no-prompt",
];

/** A way to run a program of the page. */
interface Way {
  /** Heading of its section. */
  readonly heading: string;
  readonly under: string;
  /** The command that runs it; undefined if it is not installed. */
  readonly tool: Tool | undefined;
  readonly file: string;
  /** Code that is appended to the program. */
  readonly call?: string;
  /** Whether `tool` compiles the program. */
  readonly compiled?: boolean;
}

/** Calls the module's function as a page would, and ends as the other programs do. */
const CALL = `
import process from "node:process";
try {
  const { agrees } = await sendNumbers(...process.argv.slice(2));
  console.log(agrees ? "the receipt agrees" : "the receipt differs");
  process.exitCode = agrees ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
`;

const WAYS: readonly Way[] = [
  { heading: "TypeScript, raw TCP", under: "Deno", tool: DENO, file: "client.ts" },
  { heading: "TypeScript, raw TCP", under: "Node", tool: TOOLS.nodeTypeScript, file: "client.mts" },
  { heading: "JavaScript, WebSocket", under: "Deno", tool: DENO, file: "client.mjs", call: CALL },
  {
    heading: "JavaScript, WebSocket",
    under: "Node",
    tool: TOOLS.nodeWebSocket,
    file: "client.mjs",
    call: CALL,
  },
  { heading: "Python, raw TCP", under: "Python", tool: TOOLS.python, file: "client.py" },
  { heading: "Python, WebSocket", under: "Python", tool: TOOLS.pythonWebSockets, file: "client.py" },
  {
    heading: "C++, raw TCP",
    under: "a compiler",
    tool: TOOLS.cxx && [...TOOLS.cxx, "-std=c++17", "-Wall", "-Wextra", "-Werror", "-o"],
    file: "client.cpp",
    compiled: true,
  },
];

for (const { heading, under, tool, file, call = "", compiled = false } of WAYS) {
  Deno.test({
    name: `docs/clients.md: ${heading}, under ${under}, gets its receipt and reports a refusal`,
    ignore: tool === undefined,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      const path = `${folder}/${file}`;
      await Deno.writeTextFile(path, `${programs.get(heading)}${call}`);
      let command: Tool = [...tool ?? DENO, path];
      if (compiled) {
        const { code, stderr } = await runTool(tool ?? DENO, [`${folder}/client`, path]);
        assertEquals([code, stderr], [0, ""]);
        command = [`${folder}/client`];
      }
      await check(command, heading.endsWith("WebSocket"));
      await Deno.remove(folder, { recursive: true });
    },
  });
}

async function check(command: Tool, overWebSocket: boolean): Promise<void> {
  const receipts: string[] = [];
  const events = {
    onReceipt: ({ id, count }: { id: string; count: number }) => receipts.push(`${id} ${count}`),
  };
  await using server = new AcceptanceServer({ host: "127.0.0.1", port: 0 }, "receipt", events);
  await using balancer = startBalancer(configTo(server.address.port));
  const target = overWebSocket ? [`ws://127.0.0.1:${balancer.port}/`] : ["127.0.0.1", String(balancer.port)];
  const served = await runTool(command, [...target, "1"]);
  assertEquals([served.code, served.stdout, served.stderr], [0, "the receipt agrees\n", ""]);
  assertEquals(receipts, ["1 1000"]);
  const refused = await runTool(command, [...target, "somebody else"]);
  assertEquals([refused.code, refused.stdout], [1, ""]);
  assertMatch(refused.stderr, /^refused with 4: no route for ID "somebody else"\s*$/);
}

Deno.test("every program of docs/clients.md is run by a test", () => {
  const known = new Set(WAYS.map(({ heading }) => heading));
  assertEquals(new Set(programs.keys()), known);
  assertEquals(blocks, known.size);
});
