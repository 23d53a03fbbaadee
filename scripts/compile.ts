// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * `deno task compile`: makes dist/switchyard, one executable with the permissions net and read baked in.
 * With `--all`: one for each target, and their SHA-256 sums in dist/SHA256SUMS.
 *
 * DENO_FOR_COMPILE names another `deno` to compile with, DENORT_BIN a base binary of that version and of this machine's
 * target to build on.
 */

const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

const deno = Deno.env.get("DENO_FOR_COMPILE") || Deno.execPath();

/** Compiles for `target`, or for this machine, into dist/. Returns the file's name, or undefined where it failed. */
async function compile(target?: string): Promise<string | undefined> {
  const windows = target?.includes("windows") ?? Deno.build.os === "windows";
  const name = `switchyard${target ? `-${target}` : ""}${windows ? ".exe" : ""}`;
  const args = [
    "compile",
    "--allow-net",
    "--allow-read",
    "--no-prompt",
    // connections live long: a small young generation moves what they hold out of it sooner (docs/performance.md)
    "--v8-flags=--max-semi-space-size=2",
    // types are checked by `deno task check`, on the pinned version
    "--no-check",
    // a worker's module, which no import names
    "--include",
    "lib/config/load_worker.ts",
    ...(target ? ["--target", target] : []),
    "--output",
    `dist/${name}`,
    "main.ts",
  ];
  const env = environment(target);
  const here = target === undefined || target === Deno.build.target;
  const problem = await run(deno, args, env) ??
    (here ? await run(`dist/${name}`, ["version"], env) : undefined);
  if (problem === undefined) return name;
  // neither an older one nor one that does not run may pass for it
  await Deno.remove(`dist/${name}`).catch(() => {});
  console.error(`compile: dist/${name} cannot be made: ${reason(problem)}`);
  return undefined;
}

/** What the command says where it fails; undefined where it succeeds. */
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

/** In one line why the compiler failed, or what it made, out of what that said. */
export function reason(said: string): string {
  const [, complaint = said] = said.split(/^error: /m);
  // a base of another version goes unnoticed by the compiler, but not by what it makes
  const line = complaint.replace(/Stack backtrace:[^]*/, "").trim().replace(/\s+/g, " ");
  if (/could not find (denort|standalone binary section)/i.test(line)) {
    return `DENORT_BIN must name a denort of the very version that compiles: ${line}`;
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

async function main(args: string[]): Promise<number> {
  const unknown = args.filter((word) => word !== "--all");
  if (unknown.length > 0) {
    console.error(`compile: unknown argument ${JSON.stringify(unknown[0])}; only --all is known`);
    return 2;
  }
  const all = args.includes("--all");
  await Deno.mkdir("dist", { recursive: true });
  let sums = "";
  for (const target of all ? TARGETS : [undefined]) {
    const name = await compile(target);
    if (name === undefined) return 1;
    sums += await sumLine(name);
  }
  if (all) await Deno.writeTextFile("dist/SHA256SUMS", sums);
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
