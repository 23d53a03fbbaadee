/** Parses the head of an HTTP/1.1 message (RFC 9112) strictly: ambiguous input is refused. */

import { concat } from "../../util/bytes.ts";

/** Maximum size of a head, including start line and final empty line. Browsers send under 2 KiB without cookies. */
export const MAX_HEAD_BYTES = 8 << 10;

/** Maximum number of fields. */
const MAX_FIELDS = 100;

/** A start line and fields, names in lower case, in order. */
export interface Head {
  readonly startLine: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** The head is not acceptable; with the HTTP status for the response. */
export class HeadError extends Error {
  override readonly name = "HeadError";
  readonly status: 400 | 431;

  constructor(status: 400 | 431, message: string) {
    super(message);
    this.status = status;
  }
}

/** One field line: a token, a colon, then visible text, spaces and tabs (RFC 9110, section 5). */
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/;

const CR = 13;
const LF = 10;

/** Collects a head that arrives in chunks, up to the maximum size. */
export class HeadReader {
  #bytes: Uint8Array = new Uint8Array();
  #line = 0;
  #lines = 0;
  #at = 0;

  /** All bytes so far: the head, whose length `push` has returned, and what followed it. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /**
   * Adds bytes. Returns the length of the head once it is complete, else undefined.
   *
   * @throws {HeadError} as soon as the bytes cannot become an acceptable head.
   */
  push(chunk: Uint8Array): number | undefined {
    this.#bytes = this.#bytes.length === 0 ? chunk : concat([this.#bytes, chunk]);
    const end = Math.min(this.#bytes.length, MAX_HEAD_BYTES);
    for (; this.#at < end; this.#at++) {
      if (this.#bytes[this.#at] === LF ? this.#endLine() : this.#afterReturn()) return this.#at + 1;
    }
    if (end < MAX_HEAD_BYTES) return undefined;
    throw new HeadError(431, `the head is longer than ${MAX_HEAD_BYTES} bytes`);
  }

  /** At a line feed: returns whether the head ends here. */
  #endLine(): boolean {
    if (this.#bytes[this.#at - 1] !== CR) throw new HeadError(400, "a line feed without a carriage return");
    const empty = this.#at - 1 === this.#line;
    if (!empty) this.#lines++;
    if (this.#lines > 1 + MAX_FIELDS) throw new HeadError(431, `more than ${MAX_FIELDS} header fields`);
    this.#line = this.#at + 1;
    return empty;
  }

  #afterReturn(): false {
    if (this.#at > 0 && this.#bytes[this.#at - 1] === CR) {
      throw new HeadError(400, "a carriage return without a line feed");
    }
    return false;
  }
}

/**
 * Parses a complete head.
 *
 * @throws {HeadError} 400 for an invalid field line: folded, a space before the colon, or control characters.
 */
export function parseHead(bytes: Uint8Array): Head {
  // one character per byte: a field may contain bytes over 127, which have no meaning here
  const [startLine = "", ...lines] = String.fromCharCode(...bytes.subarray(0, -4)).split("\r\n");
  return { startLine, fields: lines.map(parseField) };
}

function parseField(line: string): readonly [string, string] {
  const [, name, value] = FIELD.exec(line) ?? [];
  if (name === undefined || value === undefined) {
    throw new HeadError(400, `not a header field: ${shown(line)}`);
  }
  return [name.toLowerCase(), value.replace(/[ \t]+$/, "")];
}

/** Every value of the field `name`, which is in lower case. */
export function valuesOf({ fields }: Head, name: string): string[] {
  return fields.filter(([other]) => other === name).map(([, value]) => value);
}

/** The members of a comma-separated field, over all its lines. */
export function listOf(head: Head, name: string): string[] {
  return valuesOf(head, name).join(",").split(",").map((member) => member.trim()).filter((member) =>
    member !== ""
  );
}

/** `text` quoted, in visible ASCII, and truncated if it is long. */
export function shown(text: string): string {
  const cut = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return `"${cut.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, (character) => `\\x${hex(character)}`)}"`;
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, "0");
}
