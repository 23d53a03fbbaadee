/** `switchyard top` in a terminal, and `explain` of a running balancer. */

import { AdminServer } from "../../lib/admin/server.ts";
import { administer } from "../admin/administered.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { pause } from "../wait.ts";
import { runTool, type Tool } from "../clients/tools.ts";
import { commandLine } from "../e2e/processes.ts";
import { configTo } from "../fixture.ts";
import { startEcho } from "../upstreams.ts";
import { run } from "./command.ts";

async function startServed() {
  const upstream = startEcho();
  const admin = administer(configTo(9, { routes: [{ match: "*", host: "127.0.0.1", port: upstream.port }] }));
  const server = await AdminServer.start({ address: { host: "127.0.0.1", port: 0 } }, admin.source);
  return {
    admin,
    address: `127.0.0.1:${server.address.port}`,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await admin[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

const hasTmux = await (async () => {
  try {
    return (await runTool(["tmux"], ["-V"])).code === 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
})();

/** A shell in a terminal of tmux. */
async function openTerminal() {
  const folder = await Deno.makeTempDir();
  const tmux: Tool = ["tmux", "-S", `${folder}/socket`, "-f", "/dev/null"];
  const shell = [
    "new-session",
    "-d",
    "-x",
    "120",
    "-y",
    "24",
    "env PS1=% sh",
  ];
  const { code, stderr } = await runTool(tmux, shell);
  assertEquals([code, stderr], [0, ""]);
  const screen = async () => (await runTool(tmux, ["capture-pane", "-p"])).stdout;
  return {
    screen,
    type: (...keys: string[]) => runTool(tmux, ["send-keys", ...keys]),
    resize: (columns: number, rows: number) =>
      runTool(tmux, ["resize-window", "-x", String(columns), "-y", String(rows)]),
    async shows(pattern: RegExp) {
      const end = performance.now() + 30_000;
      while (!pattern.test(await screen())) {
        assert(performance.now() < end, `no ${pattern} in ${await screen()}`);
        await pause(50);
      }
    },
    async [Symbol.asyncDispose]() {
      await runTool(tmux, ["kill-server"]);
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test({
  name: "top follows the size, sorts, quits with q and leaves the terminal as it was",
  ignore: !hasTmux,
  fn: async () => {
    await using served = await startServed();
    const clients = [];
    for (const id of ["bravo", "alpha"]) clients.push(await served.admin.relayed(id));
    await using terminal = await openTerminal();
    await terminal.type("echo be''fore; stty -a > /dev/null; echo sa''ved", "Enter");
    await terminal.shows(/saved/);
    const command = commandLine(["top", "--admin", `http://${served.address}/`, "--interval", "100ms"]);
    const line = `${
      command.join(" ")
    }; echo status $?; stty -a | tr ' ;' '\\n\\n' | grep -cx -e icanon -e echo`;
    await terminal.type(line, "Enter");
    await terminal.shows(/NO\. .*AGE[^]*bravo[^]*\(by bytes\)/);
    await terminal.type("i");
    await terminal.shows(/alpha[^]*bravo[^]*\(by id\)/);
    await terminal.resize(40, 10);
    await terminal.shows(/^ID .*UP +DOWN$/m);
    await terminal.type("Up");
    await terminal.resize(50, 10);
    await terminal.shows(/\(by id\)/);
    for (const line of (await terminal.screen()).split("\n")) assert(line.length <= 50, line);
    await terminal.resize(120, 24);
    await terminal.shows(/AGE[^]*alpha/);
    await terminal.type("q");
    await terminal.shows(/before[^]*status 0\n2\n/);
    assert(!(await terminal.screen()).includes("(by id)"));
    for (const end of [["C-c"], ["C-z", "q"]]) {
      // the shell would stop or end it if the terminal were not in raw mode
      await terminal.type(`clear; ${line}`, "Enter");
      await terminal.shows(/\(by bytes\)/);
      await terminal.type(...end);
      await terminal.shows(/status 0\n2\n/);
    }
    for (const client of clients) client.close();
  },
});

Deno.test("top without a terminal prints one page", async () => {
  await using served = await startServed();
  using _client = await served.admin.relayed("1");
  const { status, out } = await run("top", "--admin", served.address);
  assertEquals(status, 0);
  assertMatch(out[1] ?? "", /^connections 1 /);
  assertStringIncludes(out.join("\n"), "relaying");
});

Deno.test("top and explain name the address where no admin listener answers", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${listener.addr.port}`;
  listener.close();
  for (const command of [["top"], ["explain", "1"]]) {
    const { status, err } = await run(...command, "--admin", address);
    assertEquals([status, err.length], [1, 1]);
    assertMatch(
      err[0] ?? "",
      new RegExp(`^switchyard: cannot query the admin API at ${address}: .*refused`, "i"),
    );
  }
  await using other = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("<html>"),
  );
  const { err } = await run("top", "--admin", `127.0.0.1:${other.addr.port}`);
  assertMatch(err[0] ?? "", /its answer is not JSON/);
});

Deno.test("explain --admin shows the decision of the running balancer", async () => {
  await using served = await startServed();
  const { status, out } = await run("explain", "eu-1", "--admin", served.address, "--from", "192.0.2.7");
  assertEquals(status, 0);
  const text = out.join("\n");
  assertStringIncludes(text, "from 192.0.2.7: admitted");
  assertStringIncludes(text, 'ID "eu-1": accepted\n  match * -> 127.0.0.1:');
  const long = await run("explain", "x".repeat(300), "--admin", served.address);
  assertEquals(long.status, 1);
  assertStringIncludes(long.out.join("\n"), "the client gets BAD_FRAME (1)");
  const both = await run("explain", "1", "--admin", served.address, "-c", "routes.yaml");
  assertEquals(both.status, 2);
});
