import sizes from "../../../scripts/lint/sizes.ts";
import { assertEquals } from "../../assert.ts";

/** The messages of the linter's rules for a file. */
function found(file: string, text: string): string[] {
  return Deno.lint.runPlugin(sizes, `/switchyard/${file}`, text).map(({ message }) => message);
}

const statements = (count: number) => "work();\n".repeat(count);

const LONG_FUNCTION = "41 lines; a function of lib/ has at most 40";

const CASES: readonly [name: string, text: string, messages: readonly string[]][] = [
  ["a file of 250 lines", statements(250), []],
  ["a file of 251 lines", statements(251), ["251 lines; a file of lib/ has at most 250"]],
  ["a function of 40 lines", `function f() {\n${statements(38)}}`, []],
  ["a function of 41 lines", `function f() {\n${statements(39)}}`, [LONG_FUNCTION]],
  ["a method of 41 lines", `class C {\nm() {\n${statements(39)}}\n}`, [LONG_FUNCTION]],
  ["an arrow function of 41 lines", `export const f = () => {\n${statements(39)}};`, [LONG_FUNCTION]],
];

for (const [name, text, messages] of CASES) {
  Deno.test(`the linter checks the length of ${name} in lib/, and in no other folder`, () => {
    assertEquals(found("lib/room/file.ts", text), messages);
    assertEquals(found("tests/room/file.test.ts", text), []);
  });
}

Deno.test("the linter checks the lines of imports in tests/, and in no other folder", () => {
  const imports = (count: number) =>
    `${'import "./a.ts";\n'.repeat(count - 3)}import {\n  b,\n} from "./b.ts";\n`;
  assertEquals(found("tests/room/file.test.ts", imports(9)), []);
  assertEquals(found("tests/room/file.test.ts", imports(10)), [
    "10 lines of imports; a file of tests/ has at most 9: split it by subject, or move its set-up to a fixture",
  ]);
  assertEquals(found("lib/room/file.ts", imports(10)), []);
});

/** The files below a folder with one of these endings. */
function* files(folder: URL, ending: RegExp): Generator<URL> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* files(new URL(`${name}/`, folder), ending);
    else if (ending.test(name)) yield new URL(name, folder);
  }
}

Deno.test("pages and style sheets, which the linter does not read, are within the limits too", () => {
  const found = [...files(new URL("../../../lib/", import.meta.url), /\.(css|html)$/)];
  const long = found.filter((file) => Deno.readTextFileSync(file).trimEnd().split("\n").length > 250);
  assertEquals([found.length > 0, long], [true, []]);
});
