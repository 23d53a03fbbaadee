/** Tables of IDs made from texts in the format of the files of `tables`. */

import type { Config } from "../lib/config/config.ts";
import { BackgroundLoader, type LoadOptions } from "../lib/config/load.ts";
import { type ParsedTables, parseTables } from "../lib/config/tsv.ts";
import { SharedTable } from "../lib/tables/shared_table.ts";

/** The result of parsing files with these contents, named `0.tsv`, `1.tsv` and so on. */
export function parsed(
  contents: readonly (string | Uint8Array)[],
  { idBytes = 255, pools = ["eu"] }: { idBytes?: number; pools?: readonly string[] } = {},
): ParsedTables {
  const parts = contents.map((each) => typeof each === "string" ? new TextEncoder().encode(each) : each);
  const bytes = new Uint8Array(
    new SharedArrayBuffer(parts.reduce((length, part) => length + part.length + 1, 0)),
  );
  let end = 0;
  const files = parts.map((part, index) => {
    const start = end;
    bytes.set(part, start);
    end += part.length + 1;
    bytes[end - 1] = 0x0a;
    return { name: `${index}.tsv`, path: `${index}.tsv`, start, end };
  });
  return parseTables({ bytes: bytes.buffer, files }, { idBytes, pools });
}

/** The table of files without problems. */
export function tableOf(...contents: readonly string[]): SharedTable {
  const { data, problems } = parsed(contents);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return new SharedTable(data);
}

/** `count` lines for the IDs `d0`, `d1` and so on, to `host`. */
export function lines(count: number, host = "n1.example.com"): string {
  return Array.from({ length: count }, (_, index) => `d${index}\t${host}\t7777\n`).join("");
}

/** Loads one configuration as `serve` does, in a thread of its own. */
export async function loadInBackground(file: string, options?: LoadOptions): Promise<Config> {
  using loader = new BackgroundLoader();
  return await loader.load(file, options);
}
