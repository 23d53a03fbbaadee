import { keysIn, knownSize } from "../../lib/cli/terminal.ts";
import { assertEquals } from "../assert.ts";

const cases: [name: string, input: string, keys: string][] = [
  ["letters", "ba", "ba"],
  ["Ctrl-C", "\x03", "\x03"],
  ["arrows", "\x1b[A\x1b[B", ""],
  ["arrows of an application", "\x1bOA\x1bOB", ""],
  ["Delete, and Shift with an arrow", "\x1b[3~\x1b[1;2A", ""],
  ["Alt with a letter", "\x1bq", ""],
  ["Escape", "\x1b", ""],
  ["an arrow between letters", "i\x1b[Aq", "iq"],
];

for (const [name, input, keys] of cases) {
  Deno.test(`the input of ${name} has ${keys === "" ? "no keys" : `the keys ${JSON.stringify(keys)}`}`, () => {
    assertEquals(keysIn(input), keys);
  });
}

Deno.test("a terminal without a size has the usual one", () => {
  assertEquals(knownSize({ columns: 0, rows: 0 }), { columns: 80, rows: 24 });
  assertEquals(knownSize({ columns: 20, rows: 5 }), { columns: 20, rows: 5 });
});
