/**
 * Runs every test: `deno task test`. Arguments are passed on to `deno test`.
 *
 * `deno test` has an isolate for each file, which costs 60 to 180 ms of processor time before the first test runs: it
 * allocates an array of 80 MB, and loads the modules that the file imports. Here a few isolates import all files.
 * A single file is run with `deno test --allow-all tests/…/name.test.ts`.
 */

/**
 * Modules that share the files between them, and that run at once unless DENO_JOBS gives another number. Tests of one
 * module run one after the other. More modules than there are cores: many tests wait.
 */
const GROUPS = 8;

const ROOT = new URL("../", import.meta.url);

/** Seconds of a file that is not listed in `SLOW`. */
const SECONDS = 0.5;

/** Files of tests/ that take longer, and about how many seconds: no group should have many of them. */
export const SLOW: Readonly<Record<string, number>> = {
  "browser/accessibility": 6,
  "browser/client": 2,
  "browser/dashboard": 12,
  "browser/many_connections": 6,
  "cli/admin": 4,
  "cli/bench": 2,
  "cli/open_files": 4,
  "clients/docs": 2,
  "clients/echo": 3,
  "config/reloader": 10,
  "config/tables": 3,
  "config/watch": 2,
  "connection/drain": 6,
  "connection/removed_routes": 3,
  "e2e/haproxy": 2,
  "e2e/redis": 6,
  "e2e/scenario": 4,
  "e2e/tables": 2,
  "e2e/workers": 3,
  "faults/endings": 2,
  "faults/fifo": 5,
  "faults/first_frame": 4,
  "faults/open_files": 3,
  "faults/pool_failover": 2,
  "faults/reloads": 5,
  "faults/resources": 2,
  "faults/silent_upstreams": 2,
  "faults/tls": 4,
  "faults/websocket": 5,
  "listen/listeners": 3,
  "observe/log": 5,
  "relay/sweep": 4,
  "route/redis/locator": 4,
  "route/redis/redis_routes": 2,
  "scripts/bench/peers": 2,
  "scripts/bench/tables": 2,
  "transport/tls/client": 2,
  "transport/tls/client_certificate": 3,
  "transport/tls/duplex": 3,
  "transport/tls/server": 4,
  "transport/websocket/accept": 2,
  "transport/websocket/handshake": 2,
  "upstream/dialer": 3,
  "workers/engine/death": 8,
  "workers/engine/drain": 3,
  "workers/engine/health": 2,
  "workers/engine/limits": 2,
  "workers/engine/reload": 2,
  "workers/engine/tls": 3,
};

/** Deals `files` out into at most `count` groups that take about as long as each other. */
export function deal(files: readonly string[], count: number, seconds = secondsOf): string[][] {
  const groups = Array.from({ length: count }, () => ({ files: new Array<string>(), seconds: 0 }));
  for (const file of files.toSorted((one, other) => seconds(other) - seconds(one))) {
    const shortest = groups.reduce((least, group) => group.seconds < least.seconds ? group : least);
    shortest.files.push(file);
    shortest.seconds += seconds(file);
  }
  return groups.map(({ files }) => files).filter(({ length }) => length > 0);
}

/** About how long the tests of the file with this URL take. */
function secondsOf(url: string): number {
  const [, path = ""] = /\/tests\/(.*)\.test\.ts$/.exec(url) ?? [];
  return SLOW[path] ?? SECONDS;
}

/** A module that has the tests of `files`. */
export function moduleOf(files: readonly string[]): string {
  return files.map((file) => `import ${JSON.stringify(file)};\n`).join("");
}

/** The URLs of all test files in a folder and in those below it, in alphabetical order. */
export function testFiles(folder: URL): string[] {
  const urls = [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return testFiles(new URL(`${name}/`, folder));
    return name.endsWith(".test.ts") ? [new URL(name, folder).href] : [];
  });
  return urls.sort();
}

async function main(flags: readonly string[]): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "tests-" });
  try {
    const modules = deal(testFiles(new URL("tests/", ROOT)), GROUPS).map((files, index) => {
      const path = `${folder}/${String(index + 1).padStart(2, "0")}.ts`;
      Deno.writeTextFileSync(path, moduleOf(files));
      return path;
    });
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--config", new URL("deno.json", ROOT).pathname, ...FLAGS, ...flags, ...modules],
      env: { DENO_JOBS: Deno.env.get("DENO_JOBS") ?? `${GROUPS}` },
    }).spawn().status;
    return code;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const FLAGS = ["--no-check", "--allow-all", "--no-prompt", "--parallel"];

if (import.meta.main) Deno.exit(await main(Deno.args));
