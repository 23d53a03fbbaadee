/**
 * Runs every test: `deno task test`. Arguments are passed on to `deno test`.
 *
 * `deno test` has an isolate for each file, which costs 60 to 180 ms of processor time before the first test runs: it
 * allocates an array of 80 MB, and loads the modules that the file imports. Here a few isolates import all files.
 * A single file is run with `deno test --allow-all tests/…/name.test.ts`.
 */

/** Modules that share the files between them. Tests of one module run one after the other. */
const GROUPS = 16;

/** Modules that run at once, unless DENO_JOBS gives their number. More than there are cores: many tests wait. */
const JOBS = "8";

const ROOT = new URL("../", import.meta.url);

/** Deals `files` out into at most `count` groups, so that each has some from every folder. */
export function deal(files: readonly string[], count: number): string[][] {
  const groups = Array.from({ length: count }, (_, at) => files.filter((_, index) => index % count === at));
  return groups.filter(({ length }) => length > 0);
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
      env: { DENO_JOBS: Deno.env.get("DENO_JOBS") ?? JOBS },
    }).spawn().status;
    return code;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const FLAGS = ["--no-check", "--allow-all", "--no-prompt", "--parallel"];

if (import.meta.main) Deno.exit(await main(Deno.args));
