/** Loading the files of `tables`. */

import { messageOf, UsageError } from "../errors.ts";
import { NEWLINE, type TableChange, type TableData, type TableText, type TextFile } from "../tables/data.ts";
import { SharedTable } from "../tables/shared_table.ts";
import { readInto, statFile } from "../util/read_file.ts";
import { plain, quote } from "../util/text.ts";
import type { Problem } from "./check.ts";
import type { Config } from "./config.ts";
import { locateProblems } from "./parse.ts";
import { parseTables, repeated as repeatedMessage } from "./tsv.ts";
import { pathBeside } from "./values.ts";

/** About thirty million IDs. The index counts bytes in 32 bits. */
const MAX_BYTES = 1 << 30;

/** Longest time to read one file, in milliseconds. */
const DEADLINE_MS = 60_000;

/** Most reported IDs that are both in `routes` and in `tables`; the others are counted. */
const REPORTED = 10;

/** The configuration file that names the tables, and its content. */
export interface Source {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** The paths of the files of `tables`, which are relative to the folder of the configuration `file`. */
export function tablePaths({ tables }: Pick<Config, "tables">, file: string): string[] {
  return tables.map((name) => pathBeside(file, name));
}

/**
 * Reads the files of `tables` into shared memory.
 *
 * @throws {UsageError} with a line for each file that cannot be read
 */
export async function readTables(config: Pick<Config, "tables">, file: string): Promise<TableText> {
  const paths = tablePaths(config, file);
  const problems: string[] = [];
  const attempt = <T>(work: Promise<T>) => work.catch((error) => void problems.push(messageOf(error)));
  const sizes = await Promise.all(paths.map((path) => attempt(statFile(path).then(({ size }) => size))));
  let length = 0;
  const files = paths.map((path, index): TextFile => {
    const start = length;
    length += (sizes[index] ?? 0) + 1;
    return { name: config.tables[index] ?? path, path, start, end: length };
  });
  if (length > MAX_BYTES) {
    throw new UsageError(
      `${plain(file)}: tables: the files have ${length} bytes, expected at most 1 GiB`,
    );
  }
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  for (const [index, { path, start, end }] of files.entries()) {
    if (sizes[index] === undefined) continue;
    await attempt(readInto(path, bytes.subarray(start, end - 1), DEADLINE_MS));
    bytes[end - 1] = NEWLINE;
  }
  if (problems.length > 0) throw new UsageError(problems);
  return { bytes: bytes.buffer, files };
}

/**
 * The table of a configuration.
 *
 * @param text The files of its `tables`.
 * @param previous The table that this one replaces, to compare the two.
 * @throws {UsageError} with a line for each problem; of a file those are the first ten and a count
 */
export function buildTables(
  config: Config,
  text: TableText,
  source: Source,
  previous?: TableData,
): TableData {
  const { limits, pools } = config;
  const { data, problems } = parseTables(text, { idBytes: limits.id_bytes, pools: Object.keys(pools) });
  const table = new SharedTable(data);
  const repeated = [...repeatedIds(config, table)];
  const details = locateProblems(repeated.slice(0, REPORTED), source.bytes, source.file);
  if (repeated.length > REPORTED) {
    details.push({
      file: plain(source.file),
      message: `and ${repeated.length - REPORTED} more IDs that are in tables as well`,
    });
  }
  if (problems.length + details.length > 0) throw new UsageError([...problems, ...details]);
  return previous ? { ...data, change: changeOf(previous, table) } : data;
}

/** The IDs of `routes` that a table has too. */
function* repeatedIds({ routes }: Config, table: SharedTable): Generator<Problem> {
  for (const [index, { id }] of routes.entries()) {
    const place = id === undefined ? undefined : table.placeOf(id);
    if (!place) continue;
    yield {
      path: `routes[${index}].id`,
      message: repeatedMessage(plain(quote(id)), place, table.data.files),
    };
  }
}

function changeOf(previous: TableData, table: SharedTable): TableChange {
  const comparison = new SharedTable(previous).compare(table);
  for (let step = comparison.next();; step = comparison.next()) if (step.done) return step.value;
}
