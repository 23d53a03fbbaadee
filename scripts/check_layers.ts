// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * Checks the layers of lib/: a file imports from its own room and from rooms of lower layers, so the stages of a
 * connection's path know nothing of each other. Every file is in a room that has a layer. Prints one line for each
 * violation; exit status 1.
 */

/** Rooms from the lowest layer to the highest; rooms of one layer know nothing of each other. */
export const LAYERS: readonly (readonly string[])[] = [
  ["util"],
  ["errors"],
  ["tables"],
  ["contracts"],
  ["shared"],
  ["transport"],
  ["observer"],
  ["listen", "admission", "frame", "config", "route", "upstream", "relay", "observe"],
  ["connection"],
  ["engine"],
  ["workers"],
  ["balancer"],
  ["admin", "acceptance"],
  ["bench"],
  ["cli"],
];

/** Files that are rooms of their own, whatever folder they are in. */
const ROOMS: Readonly<Record<string, string>> = {
  "lib/config/config.ts": "contracts",
  "lib/config/reload_result.ts": "contracts",
  "lib/config/servers.ts": "contracts",
  "lib/config/values.ts": "contracts",
  "lib/observe/observer.ts": "observer",
  "lib/observe/redis_stats.ts": "observer",
};

/** Imports of types alone that run upwards: the configuration's types are inferred from its schema. */
const PERMITTED: ReadonlySet<string> = new Set(["lib/config/config.ts lib/config/schema/file.ts"]);

/** Files outside of lib/ that it may import. */
const OUTSIDE: ReadonlySet<string> = new Set(["deno.json"]);

/** The problem with `file` of lib/ importing `target`, both paths from the project's root; undefined if there is none. */
export function violation(file: string, target: string): string | undefined {
  const [from, to] = [roomOf(file), roomOf(target)];
  if (to === undefined) {
    return OUTSIDE.has(target) ? undefined : `${file} imports ${target}, which is outside of lib/`;
  }
  if (from === undefined || from === to || PERMITTED.has(`${file} ${target}`)) return undefined;
  const [own, other] = [layerOf(from), layerOf(to)];
  if (other >= 0 && other < own) return undefined;
  const why = other === own ? "of the same layer" : "of a higher layer";
  return `${file} imports ${target}: ${to} is ${why}, and ${from} may import only lower ones`;
}

/** The problem with the place of a file of lib/; undefined if its room has a layer. */
export function misplaced(file: string): string | undefined {
  const room = roomOf(file) ?? file;
  if (layerOf(room) >= 0) return undefined;
  return `${file} is in no layer: add ${room} to scripts/check_layers.ts`;
}

/** The folder of lib/ that contains the file, or the file's own name if it is directly in lib/. */
function roomOf(file: string): string | undefined {
  return ROOMS[file] ?? /^lib\/([^/]+?)(?:\.ts)?(?:\/|$)/.exec(file)?.[1];
}

function layerOf(room: string): number {
  return LAYERS.findIndex((rooms) => rooms.includes(room));
}

/** The relative imports of a source text, as paths from the project's root: also of modules that workers run. */
export function importsOf(file: string, source: string): string[] {
  const statements =
    /^(?:import|export)\b(?:[^;"]*?\bfrom)? ?"(\.[^"]+)"|\bimport\("(\.[^"]+)"|\bnew URL\("(\.[^"]+\.ts)"/gm;
  const targets = [...source.matchAll(statements)].map(([, ...found]) => found.find(Boolean) ?? "");
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
    [
      misplaced(file) ?? [],
      ...importsOf(file, Deno.readTextFileSync(file)).map((target) => violation(file, target) ?? []),
    ].flat()
  );
  for (const line of found) console.error(line);
  Deno.exit(found.length > 0 ? 1 : 0);
}
