/** docs/errors.md has every text in lib/ that a client is refused with, and every warning and error of the log. */

import { assertEquals } from "../assert.ts";

const LIB = new URL("../../lib/", import.meta.url);
const page = inOneLine(await Deno.readTextFile(new URL("../../docs/errors.md", import.meta.url)));

/** The calls that pass a text to a client or to the log. The first group is the text, or the name of a constant. */
const SINKS = [
  /\bnew Refusal\(\s*(?:"[A-Z_]+"|\w+),\s*(["`]|\w+)/g,
  /\bexceeded\(\s*(["`]|\w+)/g,
  /\blog\s*\.(?:warning|error)\(?\s*(["`]|\w+)/g,
  /\blog\[.*?"(?:warning|error)".*?\]\(\s*(["`]|\w+)/g,
];

/** Texts that are not literals in the call. Other tests provoke them. */
const VARIABLES = new Set([
  "lib/admission/limiter.ts: message", // of `exceeded`, which is in SINKS
  "lib/admission/limiter.ts: this",
  "lib/cli/serve.ts: problem", // of the limit of open files, mounts and workers
  "lib/route/redis/redis_routes.ts: message",
]);

function inOneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}

/** The parts between `${...}` of the literal that begins at `start`. */
function partsOf(source: string, start: number): string[] {
  const quote = source[start];
  const parts = [""];
  for (let at = start + 1; at < source.length && source[at] !== quote; at++) {
    if (quote !== "`" || !source.startsWith("${", at)) {
      parts.push((parts.pop() ?? "") + source[at]);
      continue;
    }
    at = endOfExpression(source, at + 2);
    parts.push("");
  }
  return parts;
}

/** The index of the brace that closes the expression that begins at `start`. */
function endOfExpression(source: string, start: number): number {
  let depth = 1;
  for (let at = start;; at++) {
    if (source[at] === "{") depth += 1;
    if (source[at] === "}" && --depth === 0) return at;
  }
}

/** The fixed parts of a text in `source`: of the literal at `start`, or of the constant named there. */
function textAt(source: string, start: number, found: string): string[] | undefined {
  if (found === '"' || found === "`") return partsOf(source, start);
  const constant = new RegExp(`\\bconst ${found} =\\s*(?=["\`])`).exec(source);
  return constant ? partsOf(source, constant.index + constant[0].length) : undefined;
}

function* sources(folder: URL): Generator<URL> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* sources(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield new URL(name, folder);
  }
}

/** A text of lib/: the file with the beginning of the text, and its fixed parts, unless it is not written in place. */
function* texts(): Generator<{ place: string; parts: string[] | undefined }> {
  for (const file of sources(LIB)) {
    const source = Deno.readTextFileSync(file);
    for (const match of SINKS.flatMap((sink) => [...source.matchAll(sink)])) {
      const [whole, found = ""] = match;
      const parts = textAt(source, match.index + whole.length - found.length, found);
      yield { place: `lib/${file.href.slice(LIB.href.length)}: ${parts?.join("...") ?? found}`, parts };
    }
  }
}

/** Whether the page has a fixed part. Words as short as "is" are skipped. */
function isOnPage(part: string): boolean {
  const text = inOneLine(part).replace(/^[\s:;,]+|[\s:;,]+$/g, "");
  return text.length < 8 || page.includes(text);
}

const TEXTS = [...texts()];

Deno.test("the page has every text of a refusal, and every warning and error of the log", () => {
  const missing = TEXTS.filter(({ parts }) => parts && !parts.every(isOnPage));
  assertEquals(missing.map(({ place }) => place), []);
});

Deno.test("no other text escapes this test", () => {
  const hidden = TEXTS.filter(({ parts }) => parts === undefined).map(({ place }) => place);
  assertEquals([TEXTS.length > 40, new Set(hidden)], [true, VARIABLES]);
});
