// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * Checks that the stages of a connection's path know nothing of each other: a file in a stage's folder imports from
 * its own folder, from the files directly in lib/, and from the contracts; of the files directly in lib/ only the joints
 * import stages; the acceptance pair does without the command line. Prints a line a violation; exit status 1.
 */

const STAGES = ["listen", "frame", "config", "route", "dial", "relay", "account"];

/** What every stage may know: the duplex, and the shape of a checked configuration. */
const CONTRACTS = ["lib/listen/duplex.ts", "lib/config/config.ts"];

/** Where stages are joined, lib/connection/ beside them; no stage may import them. */
const JOINTS = ["lib/connection.ts", "lib/balancer.ts"];

/** What is wrong with `file` importing `target`, both paths from the project's root; undefined where nothing is. */
export function violation(file: string, target: string): string | undefined {
  const rule = STAGES.includes(folderOf(file)) ? stageRule(file, target) : sideRule(file, target);
  return rule && `${file} imports ${target}: ${rule}`;
}

function stageRule(file: string, target: string): string | undefined {
  const stage = folderOf(file);
  if (CONTRACTS.includes(target) || folderOf(target) === stage) return undefined;
  if (/^lib\/[^/]+$/.test(target) && !JOINTS.includes(target)) return undefined;
  return `the stage ${stage} may know only itself, the contracts and shared files of lib/`;
}

function sideRule(file: string, target: string): string | undefined {
  if (folderOf(file) === "acceptance" && folderOf(target) === "cli") {
    return "acceptance may not know the command";
  }
  const shared = folderOf(file) === "" && !JOINTS.includes(file);
  if (!shared || CONTRACTS.includes(target)) return undefined;
  const fine = /^lib\/[^/]+$/.test(target) && !JOINTS.includes(target);
  return fine ? undefined : "a file that all stages share may know no stage";
}

/** The folder of lib/ that the file is in: "" for those directly in lib/. */
function folderOf(file: string): string {
  return /^lib\/([^/]+)\//.exec(file)?.[1] ?? "";
}

/** The relative imports of a source text, as paths from the project's root. */
export function importsOf(file: string, source: string): string[] {
  const statements = /^(?:import|export)\b(?:[^;"]*?\bfrom)? ?"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm;
  const targets = [...source.matchAll(statements)].map(([, first, second]) => first ?? second ?? "");
  return targets.map((target) => new URL(target, `file:///${file}`).pathname.slice(1));
}

function* sources(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sources(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

if (import.meta.main) {
  const found = [...sources("lib")].flatMap((file) =>
    importsOf(file, Deno.readTextFileSync(file)).flatMap((target) => violation(file, target) ?? [])
  );
  for (const line of found) console.error(line);
  Deno.exit(found.length > 0 ? 1 : 0);
}
