import { filesNeeded, openFilesProblem } from "../../lib/cli/open_files.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { start } from "../e2e/processes.ts";
import { type Changes, configTo } from "../fixture.ts";

/** Files of a system that lets `most` be open, and how many are. */
function files(most: number) {
  const state = { open: 0 };
  const open = () => {
    if (state.open === most) throw new Error("Too many open files (os error 24)");
    state.open += 1;
    return { [Symbol.dispose]: () => void (state.open -= 1) };
  };
  return { state, open };
}

Deno.test("a limit of open files that holds all connections is no problem", () => {
  const config = configTo(9, { limits: { connections: 1000 } });
  const { state, open } = files(filesNeeded(config));
  assertEquals(openFilesProblem(config, open), undefined);
  assertEquals(state.open, 0);
});

Deno.test("a connection takes two files, also over TLS", () => {
  const listeners = [{ address: { host: "", port: 0 }, tls: { cert: "", key: "" } }];
  const routes = [{ id: "1", host: "", port: 9, tls: true }];
  const needed = (changes: Changes) =>
    filesNeeded(configTo(9, { limits: { connections: 1000 }, ...changes }));
  assertEquals([needed({}), needed({ listeners, routes })], [2600, 2600]);
});

Deno.test("a limit that is too low is named, with what to do about it", () => {
  const config = configTo(9, { limits: { connections: 1000 } });
  const { state, open } = files(1000);
  const problem = openFilesProblem(config, open) ?? "";
  assertStringIncludes(problem, "only 1000 more files");
  assertStringIncludes(problem, "limits.connections: 1000 needs 2600");
  assertStringIncludes(problem, "ulimit -n 2600");
  assertStringIncludes(problem, "set limits.connections to 200");
  assertEquals(state.open, 0);
});

Deno.test("no more than 65,536 files are tried", () => {
  const { open } = files(65_536);
  assertEquals(openFilesProblem(configTo(9, { limits: { connections: 1_000_000 } }), open), undefined);
});

Deno.test({
  name: "serve warns where the system's limit of open files is too low, and serves all the same",
  ignore: Deno.build.os === "windows",
  async fn() {
    const limited = ["sh", "-c", 'ulimit -n 700; exec "$@"', "sh"];
    const flags = ["serve", "--listen", "127.0.0.1:0", "--route", "1=127.0.0.1:9"];
    await using balancer = start({ command: limited }, flags);
    await balancer.stderr.until("ulimit -n");
    assert(balancer.stderr.text.includes("listening on"));
  },
});
