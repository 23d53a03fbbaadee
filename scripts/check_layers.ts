// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * Checks that the stages of a connection's path know nothing of each other: a file in a stage's folder imports from
 * its own folder, from the files directly in lib/, and from the contracts. Prints a line a violation; exit status 1.
 */

const STAGES = ["listen", "frame", "config", "route", "dial", "relay", "account"];

/** What every stage may know: the duplex, and the shape of a checked configuration. */
const CONTRACTS = ["lib/listen/duplex.ts", "lib/config/config.ts"];

/** Where stages are joined; no stage may import them. */
const JOINTS = ["lib/connection.ts", "lib/balancer.ts"];

/** What is wrong with `file` importing `target`, both paths from the project's root; undefined where nothing is. */
export function violation(file: string, target: string): string | undefined {
  const [, stage = "", inside] = file.split("/");
  if (inside === undefined || !STAGES.includes(stage)) return undefined;
  const [root, folder = "", below] = target.split("/");
  if (CONTRACTS.includes(target) || folder === stage || root !== "lib") return undefined;
  if (below === undefined && !JOINTS.includes(target)) return undefined;
  return `${file} imports ${target}: the stage ${stage} may know only itself, the contracts and shared files of lib/`;
}

/** The relative imports of a source text, as paths from the project's root. */
export function importsOf(file: string, source: string): string[] {
  const targets = [...source.matchAll(/^(?:import|export)[^;]*?from "(\.[^"]+)"/gm)].map(([, target = ""]) =>
    target
  );
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
