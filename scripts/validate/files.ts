/** The files that are validated. */

// @ts-types="./std.d.ts"
import { parse, parseAll } from "@std/yaml";

const ROOT = new URL("../../", import.meta.url);

/** The text of a file of the project. */
export function readProject(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

/** The one document of a YAML file; `<<` merges. */
export function readYaml(path: string): unknown {
  return parse(readProject(path));
}

/** Every document of a YAML file. */
export function readDocuments(path: string): readonly unknown[] {
  return parseAll(readProject(path));
}

/** Files of a folder of the project, as paths from its root. */
export function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].map(({ name }) => `${folder}${name}`);
}
