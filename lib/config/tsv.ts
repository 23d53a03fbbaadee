/** Parses and checks the tab-separated files of `tables`. */

import { TableBuilder } from "../tables/builder.ts";
import {
  CARRIAGE_RETURN,
  type LinePlace,
  NEWLINE,
  TAB,
  type TableData,
  type TableFile,
  type TableText,
  type TextFile,
} from "../tables/data.ts";
import { contentEnd, find } from "../tables/line.ts";
import { plain } from "../util/text.ts";
import { type Fields, LineChecker, type LineRules } from "./tsv_line.ts";

/** Most reported problems of a file; the others are counted. */
const REPORTED = 10;

/** The tables, and a line for every problem. With problems, the tables are incomplete. */
export interface ParsedTables {
  readonly data: TableData;
  readonly problems: readonly string[];
}

/** Parses the files of `text` one after the other: the IDs of all are one table. */
export function parseTables(text: TableText, rules: LineRules): ParsedTables {
  const parser = new Parser(text, rules);
  for (const file of text.files) parser.parse(file);
  return parser.finish();
}

class Parser {
  readonly #bytes: Uint8Array;
  readonly #builder: TableBuilder;
  readonly #checker: LineChecker;
  readonly #sources: readonly TextFile[];
  readonly #files: TableFile[] = [];
  readonly #problems: string[] = [];
  #found = 0;

  constructor({ bytes, files }: TableText, rules: LineRules) {
    this.#bytes = new Uint8Array(bytes);
    this.#builder = new TableBuilder(bytes, countLines(this.#bytes));
    this.#checker = new LineChecker(this.#bytes, rules);
    this.#sources = files;
  }

  parse(file: TextFile): void {
    const first = this.#builder.size;
    this.#found = 0;
    const wrong = wholeProblem(this.#bytes, file);
    if (wrong !== undefined) this.#report(file, 1, wrong);
    const header = wrong === undefined ? this.#lines(file) : undefined;
    const more = this.#found - REPORTED;
    if (more > 0) this.#problems.push(`${plain(file.path)}: and ${more} more problems`);
    this.#files.push({ ...file, size: this.#builder.size - first, ...(header && { header }) });
  }

  finish(): ParsedTables {
    return { data: this.#builder.finish(this.#files), problems: this.#problems };
  }

  /** Takes every line. @returns the header, if there is one */
  #lines(file: TextFile): TableFile["header"] {
    let header: TableFile["header"];
    let [line, isFirst] = [0, true];
    for (let start = afterMark(this.#bytes, file); start < file.end;) {
      const newline = find(this.#bytes, NEWLINE, start);
      const fields = this.#checker.fields(start, contentEnd(this.#bytes, start, newline));
      start = newline + 1;
      line += 1;
      if (!fields) continue;
      if (isFirst && this.#checker.isHeader(fields)) header = { line, text: this.#checker.text(fields) };
      else this.#take(fields, line, file);
      isFirst = false;
    }
    return header;
  }

  #take(fields: Fields, line: number, file: TextFile): void {
    const wrong = this.#checker.problem(fields, this.#found < REPORTED);
    if (wrong !== undefined) return this.#report(file, line, wrong);
    const same = this.#builder.add(fields.start, fields.firstTab, line);
    if (same) this.#report(file, line, repeated(this.#checker.idText(fields), same, this.#sources));
  }

  #report({ path }: TextFile, line: number, message: string): void {
    this.#found += 1;
    if (this.#found <= REPORTED) this.#problems.push(`${plain(path)}:${line}: ${message}`);
  }
}

/** The problem with an ID, in quotes, that another line of `files` has. */
export function repeated(id: string, { start, line }: LinePlace, files: readonly TextFile[]): string {
  const path = files.find(({ end }) => start < end)?.path ?? "";
  return `found ${id} again, expected an ID of its own; ${plain(path)}:${line} is the same`;
}

/** An upper bound on the number of IDs. */
function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = find(bytes, NEWLINE, 0); at < bytes.length; at = find(bytes, NEWLINE, at + 1)) lines += 1;
  return lines;
}

/** Where the file begins, behind a byte order mark. */
function afterMark(bytes: Uint8Array, { start }: TextFile): number {
  return bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf ? start + 3 : start;
}

/** The problem with a file as a whole; undefined if there is none. */
function wholeProblem(bytes: Uint8Array, file: TextFile): string | undefined {
  const [first, second] = [bytes[file.start], bytes[file.start + 1]];
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return "found text in UTF-16, expected UTF-8";
  }
  for (let at = afterMark(bytes, file); at < file.end; at++) if (!BLANK.has(bytes[at] ?? 0)) return undefined;
  // a file that is being rewritten looks like this
  return "the file is empty, expected at least a comment, so that a truncated file does not remove every ID";
}

const BLANK = new Set([TAB, NEWLINE, CARRIAGE_RETURN, 0x20]);
