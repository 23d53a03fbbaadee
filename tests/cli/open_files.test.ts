import { filesNeeded, OpenFiles } from "../../lib/cli/open_files.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import type { Config } from "../../lib/config/config.ts";
import { configTo } from "../fixture.ts";
import { routeTo, serve } from "../serving.ts";

/** A system that permits `most` open files, and the number of open ones. */
function files(most: number) {
  const state = { open: 0 };
  const open = () => {
    if (state.open === most) throw new Error("Too many open files (os error 24)");
    state.open += 1;
    return { [Symbol.dispose]: () => void (state.open -= 1) };
  };
  return { state, open };
}

/** Limits with that many connections; undefined stands for a file without the field. */
function limitsOf(connections: number | undefined): Pick<Config, "limits"> {
  const { connections: _, ...limits } = configTo(9).limits;
  return { limits: connections === undefined ? limits : { ...limits, connections } };
}

Deno.test("a limit of open files that holds all connections is no problem", () => {
  const config = limitsOf(1000);
  const { state, open } = files(filesNeeded(1000));
  assertEquals(new OpenFiles(config, open).problem(config), undefined);
  assertEquals(state.open, 0);
});

Deno.test("beyond the first 1100 files nothing is tried before tryRest", async () => {
  const config = limitsOf(undefined);
  const { state, open } = files(5600);
  const tried = { most: 0 };
  const openFiles = new OpenFiles(config, () => {
    const file = open();
    tried.most = Math.max(tried.most, state.open);
    return file;
  });
  assertEquals(tried.most, 1100);
  assertEquals(openFiles.withLimit(config).limits.connections, 10_000);
  assertEquals(await openFiles.tryRest(() => 0), true);
  assertEquals(openFiles.withLimit(config).limits.connections, 2500);
  assertEquals(state.open, 0);
});

Deno.test("while the rest is tried, connections can always open 200 files", async () => {
  const { state, open } = files(12_345);
  let most = 0;
  const openFiles = new OpenFiles(limitsOf(undefined), () => {
    const file = open();
    most = Math.max(most, state.open);
    return file;
  });
  const left: number[] = [];
  const turns = setInterval(() => left.push(most - state.open), 0);
  assertEquals(await openFiles.tryRest(() => 0), true);
  clearInterval(turns);
  // as many as were open at once before may be opened again
  assert(left.length > 20 && Math.min(...left) >= 200, `files left at the turns: ${left}`);
  assertEquals(state.open, 0);
});

Deno.test("the files of open connections count as openable", async () => {
  const config = limitsOf(undefined);
  const openFiles = new OpenFiles(config, files(5400).open);
  assertEquals(await openFiles.tryRest(() => 100), true);
  assertEquals(openFiles.withLimit(config).limits.connections, 2500);
});

Deno.test("tryRest tries nothing if the first files showed the limit, and frees all if it is aborted", async () => {
  const low = new OpenFiles(limitsOf(undefined), files(1000).open);
  assertEquals(await low.tryRest(() => 0), false);
  const { state, open } = files(100_000);
  const openFiles = new OpenFiles(limitsOf(undefined), open);
  assertEquals(await openFiles.tryRest(() => 0, AbortSignal.abort()), false);
  assertEquals(state.open, 0);
  assertEquals(await openFiles.tryRest(() => 0), false);
  assertEquals(state.open, 0);
});

Deno.test("if all files were tried before, none is tried while connections are served", async () => {
  const { state, open } = files(5600);
  let tries = 0;
  const openFiles = new OpenFiles(limitsOf(undefined), () => {
    tries += 1;
    return open();
  });
  openFiles.tryAll();
  assertEquals([openFiles.withLimit(limitsOf(undefined)).limits.connections, state.open], [2500, 0]);
  tries = 0;
  assertEquals([await openFiles.tryRest(() => 0), tries], [false, 0]);
});

Deno.test("a limit that is too low is reported with advice", () => {
  const config = limitsOf(1000);
  const { state, open } = files(1000);
  const problem = new OpenFiles(config, open).problem(config) ?? "";
  assertStringIncludes(problem, "only 1000 more files");
  assertStringIncludes(problem, "limits.connections: 1000 needs 2600");
  assertStringIncludes(problem, "ulimit -n 2600");
  assertStringIncludes(problem, "set limits.connections to 200");
  assertEquals(state.open, 0);
});

Deno.test("no more than 65,536 files are tried", () => {
  const { open } = files(65_536);
  assertEquals(new OpenFiles(limitsOf(1_000_000), open).problem(limitsOf(1_000_000)), undefined);
});

for (
  const [most, connections] of [[100_000, 10_000], [20_600, 10_000], [10_600, 5000], [1000, 250], [4, 1], [
    0,
    1,
  ]] as const
) {
  Deno.test(`without limits.connections ${connections} are allowed if ${most} files can be opened`, async () => {
    const { open } = files(most);
    const openFiles = new OpenFiles(limitsOf(undefined), open);
    await openFiles.tryRest(() => 0);
    assertEquals(openFiles.withLimit(limitsOf(undefined)).limits.connections, connections);
    assertEquals(openFiles.problem(limitsOf(undefined)), undefined);
    assertEquals(openFiles.withLimit(limitsOf(7)).limits.connections, 7);
  });
}

const limited = ["sh", "-c", 'ulimit -n 1024; exec "$@"', "sh"];

Deno.test({
  name: "serve lowers the default limit of connections if files run out beyond the first 1100",
  ignore: Deno.build.os === "windows",
  async fn() {
    const place = { command: ["sh", "-c", 'ulimit -n 4000; exec "$@"', "sh"] };
    await using serving = await serve(routeTo(9), { place });
    await serving.balancer.stderr.until("the limit of open files allows ");
    assertMatch(serving.balancer.stderr.text, /the limit of open files allows 16\d{2} connections/);
    assertEquals(serving.balancer.stderr.text.includes("WARNING"), false);
    assertEquals(await serving.balancer.end(), 0);
  },
});

Deno.test({
  name: "with workers serve knows the limit of open files before it listens",
  ignore: Deno.build.os === "windows",
  async fn() {
    const place = { command: ["sh", "-c", 'ulimit -n 4000; exec "$@"', "sh"] };
    await using serving = await serve(`${routeTo(9)}workers: 2\n`, { place });
    await serving.balancer.stderr.until(" connections\n");
    assertMatch(serving.balancer.stderr.text, /2 workers, at most 16\d{2} connections/);
    assertEquals(await serving.balancer.end(), 0);
    assertEquals(serving.balancer.stderr.text.includes("the limit of open files allows"), false);
  },
});

Deno.test({
  name:
    "serve warns where the limit of open files is too low for limits.connections, and serves all the same",
  ignore: Deno.build.os === "windows",
  async fn() {
    const place = { command: limited };
    await using serving = await serve(`${routeTo(9)}limits: { connections: 10000 }\n`, { place });
    await serving.balancer.stderr.until("ulimit -n");
  },
});

Deno.test({
  name: "serve starts without a warning if the file sets no limit of connections, and logs its settings",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using serving = await serve(routeTo(9), { place: { command: limited } });
    await serving.balancer.stderr.until(" connections\n");
    assertMatch(
      serving.balancer.stderr.text,
      /switchyard [\d.]+ \(deno [\d.]+\) started: .*routes\.yaml, 1 route, 1 listener, at most \d{3} connections/,
    );
    assertEquals(serving.balancer.stderr.text.includes("WARNING"), false);
    assertEquals(await serving.balancer.end(), 0);
    assertEquals(serving.balancer.stderr.text.includes("WARNING"), false);
  },
});
