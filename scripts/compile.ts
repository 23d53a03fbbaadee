// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * `deno task compile`: makes dist/switchyard, one executable with the permissions net and read baked in.
 * With `--target TRIPLE`: dist/switchyard-TRIPLE. With `--all`: one for each target, and their SHA-256 sums in
 * dist/SHA256SUMS.
 *
 * Fails if more than MAX_EMBEDDED_BYTES are embedded, most likely because of a package that only tests use.
 *
 * DENO_FOR_COMPILE names another `deno` to compile with, DENORT_BIN a base binary of that version and of this machine's
 * target to build on.
 */

import project from "../deno.json" with { type: "json" };

const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

/** Maximum size of an executable beyond its base binary. Current sources and packages take three quarters of it. */
export const MAX_EMBEDDED_BYTES = 9_500_000;

/** The compiler's configuration and its copy of the lock file, which names fewer packages than the project's. */
const CONFIG_FOLDER = "dist/config";

/** An empty program, whose executable is as large as the base binary. */
const EMPTY_FOLDER = "dist/empty";

const deno = Deno.env.get("DENO_FOR_COMPILE") || Deno.execPath();

/**
 * The part of deno.json that the compiler is given. It embeds every package that its configuration names, used or not,
 * so the packages of tests, which deno.json keeps in a scope of their own, are left out.
 */
export function productionConfig(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = ["imports", "compilerOptions", "unstable", "nodeModulesDir"];
  return Object.fromEntries(kept.flatMap((key) => key in config ? [[key, config[key]]] : []));
}

async function writeConfig(): Promise<void> {
  await Deno.mkdir(CONFIG_FOLDER, { recursive: true });
  await Deno.writeTextFile(`${CONFIG_FOLDER}/deno.json`, JSON.stringify(productionConfig(project)));
  // the versions and checksums of what is left; the compiler strikes the rest out of the copy
  await Deno.copyFile("deno.lock", `${CONFIG_FOLDER}/deno.lock`);
  await Deno.mkdir(EMPTY_FOLDER, { recursive: true });
  await Deno.writeTextFile(`${EMPTY_FOLDER}/deno.json`, "{}");
  await Deno.writeTextFile(`${EMPTY_FOLDER}/main.ts`, "");
}

/** Folders of packages that hold nothing that runs, such as a megabyte of numbers to test a tree with. */
const DEAD_WEIGHT: ReadonlySet<string> = new Set(["test", "tests", "bench", "benchmark", "examples", "docs"]);

/** Files of packages that only editors and compilers read: two thirds of the bytes of some. */
const DEAD_FILES = /\.(d\.[cm]?ts|map|md)$/;

/** The files of a package that are not embedded. */
async function* unusedIn(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory ? DEAD_WEIGHT.has(name) : DEAD_FILES.test(name)) yield path;
    else if (isDirectory) yield* unusedIn(path);
  }
}

/** Downloads the packages to embed. Returns the files and folders to leave out, or why a download failed. */
async function fetchPackages(): Promise<{ readonly unused: string[] } | string> {
  // by the Deno that runs this, which has the same cache
  const fetcher = Deno.execPath();
  const env = environment();
  const config = ["--config", `${CONFIG_FOLDER}/deno.json`];
  const problem = await run(fetcher, ["cache", "--no-check", ...config, "main.ts"], env);
  if (problem !== undefined) return problem;
  const { stdout } = await new Deno.Command(fetcher, { args: ["info", "--json"], env, clearEnv: true })
    .output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout));
  const { npm } = JSON.parse(await Deno.readTextFile("deno.lock"));
  const unused: string[] = [];
  for await (const registry of Deno.readDir(npmCache)) {
    for (const key of Object.keys(npm)) {
      const folder = `${npmCache}/${registry.name}/${packageFolder(key)}`;
      // tests' packages may not have been downloaded
      unused.push(...await Array.fromAsync(unusedIn(folder)).catch(() => []));
    }
  }
  return { unused };
}

/** Where Deno keeps a package: `@scope/name/1.0.0` for the lock file's `@scope/name@1.0.0_peer@2.0.0`. */
export function packageFolder(key: string): string {
  const at = key.indexOf("@", 1);
  return `${key.slice(0, at)}/${key.slice(at + 1).split("_")[0]}`;
}

/** Compiles for `target`, or for this machine, into dist/. Returns the file's name, or undefined if it failed. */
async function compile(unused: readonly string[], target?: string): Promise<string | undefined> {
  const windows = target?.includes("windows") ?? Deno.build.os === "windows";
  const name = `switchyard${target ? `-${target}` : ""}${windows ? ".exe" : ""}`;
  const env = environment(target);
  const here = target === undefined || target === Deno.build.target;
  const problem = await run(deno, compilerArgs(name, unused, target), env) ??
    (here ? await run(`dist/${name}`, ["version"], env) : undefined) ?? await sizeProblem(name, target);
  if (problem === undefined) return name;
  // neither an older one nor one that does not run may pass for it
  await Deno.remove(`dist/${name}`).catch(() => {});
  console.error(`compile: cannot build dist/${name}: ${reason(problem)}`);
  return undefined;
}

/** Why the executable is too large, or undefined if it is not; compared with one of an empty program. */
async function sizeProblem(name: string, target?: string): Promise<string | undefined> {
  const empty = `${EMPTY_FOLDER}/program`;
  const args = ["compile", "--config", `${EMPTY_FOLDER}/deno.json`, "--no-check", ...targetArgs(target)];
  const failed = await run(
    deno,
    [...args, "--output", empty, `${EMPTY_FOLDER}/main.ts`],
    environment(target),
  );
  if (failed !== undefined) return failed;
  const [{ size }, base] = await Promise.all([
    Deno.stat(`dist/${name}`),
    // the compiler adds a target's suffix if it is missing
    Deno.stat(empty).catch(() => Deno.stat(`${empty}.exe`)),
  ]);
  const embedded = size - base.size;
  console.log(`dist/${name}: ${megabytes(size)} MB, ${megabytes(embedded)} of them beyond the base binary`);
  if (embedded <= MAX_EMBEDDED_BYTES) return undefined;
  return `${megabytes(embedded)} MB are embedded, at most ${
    megabytes(MAX_EMBEDDED_BYTES)
  } may be: move packages ` +
    "that only tests use to the scope of tests in deno.json, or raise MAX_EMBEDDED_BYTES in scripts/compile.ts";
}

const targetArgs = (target?: string) => target === undefined ? [] : ["--target", target];

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

function compilerArgs(name: string, unused: readonly string[], target?: string): string[] {
  return [
    "compile",
    "--config",
    `${CONFIG_FOLDER}/deno.json`,
    "--allow-net",
    "--allow-read",
    "--no-prompt",
    // connections live long: their objects leave a small young generation sooner (docs/performance.md)
    "--v8-flags=--max-semi-space-size=2",
    // types are checked by `deno task check`, on the pinned version
    "--no-check",
    // modules of workers, which no import names
    "--include",
    "lib/config/load_worker.ts",
    "--include",
    "lib/workers/worker.ts",
    // files that are served, not imported
    "--include",
    "lib/admin/dashboard",
    ...unused.flatMap((folder) => ["--exclude", folder]),
    ...targetArgs(target),
    "--output",
    `dist/${name}`,
    "main.ts",
  ];
}

/** The output of the command if it fails; undefined if it succeeds. */
async function run(
  command: string,
  args: string[],
  env: Record<string, string>,
): Promise<string | undefined> {
  const options = { args, env, clearEnv: true, stdout: "null", stderr: "piped" } as const;
  const { success, stderr } = await new Deno.Command(command, options).output();
  return success ? undefined : new TextDecoder().decode(stderr);
}

/** The compiler's environment. DENORT_BIN is one machine's base: on another target it would pass unnoticed. */
function environment(target = Deno.build.target): Record<string, string> {
  const environment = Deno.env.toObject();
  if (target !== Deno.build.target || environment.DENORT_BIN === "") delete environment.DENORT_BIN;
  return { ...environment, NO_COLOR: "1" };
}

/** The reason why the compiler, or its result, failed, in one line of their output. */
export function reason(said: string): string {
  const [, complaint = said] = said.split(/^error: /m);
  // the compiler does not notice a base of another version, but its result fails
  const line = complaint.replace(/Stack backtrace:[^]*/, "").trim().replace(/\s+/g, " ");
  if (/could not find (denort|standalone binary section)/i.test(line)) {
    return `DENORT_BIN must name a denort of the compiler's version: ${line}`;
  }
  if (!/setting up base binary|downloading .*denort|sending request for url .*denort/i.test(line)) {
    return line;
  }
  return "the base binary (denort) could not be downloaded; check the network, or, for this machine's own target, " +
    "name a denort of the same Deno version in DENORT_BIN";
}

/** A line of SHA256SUMS. */
async function sumLine(name: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(`dist/${name}`));
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex}  ${name}\n`;
}

/** The targets in `args`, undefined for this machine; or the problem with them. */
export function targetsOf(args: readonly string[]): readonly (string | undefined)[] | string {
  const [flag, target, ...more] = args;
  if (flag === undefined) return [undefined];
  if (flag === "--all" && target === undefined) return TARGETS;
  if (flag !== "--target" || more.length > 0) {
    return `expected --all or --target TRIPLE, found ${args.join(" ")}`;
  }
  return target !== undefined && TARGETS.includes(target)
    ? [target]
    : `${JSON.stringify(target)} is not one of ${TARGETS.join(", ")}`;
}

async function main(args: string[]): Promise<number> {
  const targets = targetsOf(args);
  if (typeof targets === "string") {
    console.error(`compile: ${targets}`);
    return 2;
  }
  await writeConfig();
  const packages = await fetchPackages();
  if (typeof packages === "string") {
    console.error(`compile: cannot download the packages: ${reason(packages)}`);
    return 1;
  }
  let sums = "";
  for (const target of targets) {
    const name = await compile(packages.unused, target);
    if (name === undefined) return 1;
    sums += await sumLine(name);
  }
  await Promise.all([EMPTY_FOLDER, CONFIG_FOLDER].map((folder) => Deno.remove(folder, { recursive: true })));
  if (targets.length > 1) await Deno.writeTextFile("dist/SHA256SUMS", sums);
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
