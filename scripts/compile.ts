// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * `deno task compile`: makes dist/switchyard, one executable with the permissions net and read baked in.
 * With `--all`: one for each target, and their SHA-256 sums in dist/SHA256SUMS.
 *
 * DENO_FOR_COMPILE names another `deno` to compile with, DENORT_BIN a base binary of that version to build on.
 */

const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

const deno = Deno.env.get("DENO_FOR_COMPILE") ?? Deno.execPath();

/** Compiles for `target`, or for this machine, into dist/. Returns the file's name, or undefined where it failed. */
async function compile(target?: string): Promise<string | undefined> {
  const windows = target?.includes("windows") ?? Deno.build.os === "windows";
  const name = `switchyard${target ? `-${target}` : ""}${windows ? ".exe" : ""}`;
  const args = [
    "compile",
    "--allow-net",
    "--allow-read",
    "--no-prompt",
    // types are checked by `deno task check`, on the pinned version
    "--no-check",
    ...(target ? ["--target", target] : []),
    "--output",
    `dist/${name}`,
    "main.ts",
  ];
  const { success, stderr } = await new Deno.Command(deno, { args, stdout: "inherit", stderr: "piped" })
    .output();
  if (success) return name;
  report(name, new TextDecoder().decode(stderr));
  return undefined;
}

/** One line where the base binary could not be had, all that was said otherwise. */
function report(name: string, said: string): void {
  const missing = /denort|release\/v[\d.]+|dl\.deno/i.test(said);
  const help =
    "the base binary (denort) could not be downloaded; check the network, or name one for this Deno and " +
    "target in DENORT_BIN";
  console.error(`compile: dist/${name} was not made: ${missing ? help : said.trim()}`);
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
