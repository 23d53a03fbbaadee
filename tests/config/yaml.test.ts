import { UsageError } from "../../lib/errors.ts";
import { AmbiguousScalar, parseYamlValue, YamlError } from "../../lib/config/yaml.ts";
import { assertEquals, assertLess, assertStringIncludes, assertThrows } from "../assert.ts";

const plain = (tree: unknown) => JSON.parse(JSON.stringify(tree));

Deno.test("a quoted scalar is its text", () => {
  assertEquals(plain(parseYamlValue(`[ "007", '1e3', "~", "2020-01-01", "true" ]`)), [
    "007",
    "1e3",
    "~",
    "2020-01-01",
    "true",
  ]);
});

Deno.test("a canonical integer is a number, and a bigint if a number would lose digits", () => {
  assertEquals(parseYamlValue("[0, 1, -7, 9007199254740993]"), [0, 1, -7, 9007199254740993n]);
});

for (
  const text of [
    "007",
    "0x10",
    "0o7",
    "0b1",
    "1e3",
    "1.0",
    "1_000",
    "+1",
    "-0",
    ".5",
    ".inf",
    ".nan",
    "~",
    "null",
    "Null",
  ]
    .concat(["True", "FALSE", "2020-01-01", "2020-01-01 10:00:00"])
) {
  Deno.test(`plain ${text} is kept as written or marked as changed by YAML`, () => {
    const tree = parseYamlValue(`a: ${text}`) as { a: unknown };
    assertEquals(tree.a instanceof AmbiguousScalar ? tree.a.text : tree.a, text);
  });
}

Deno.test("a missing value is null", () =>
  assertEquals(plain(parseYamlValue("a:\nb: 1")), { a: null, b: 1 }));

Deno.test("__proto__ is an ordinary name", () => {
  const tree = parseYamlValue("__proto__: 1\nconstructor: 2") as Record<string, unknown>;
  assertEquals(Object.entries(tree), [["__proto__", 1], ["constructor", 2]]);
  assertEquals(Object.getPrototypeOf(tree), null);
});

Deno.test("a byte order mark and CRLF line ends have no effect", () => {
  assertEquals(plain(parseYamlValue("\u{feff}a: 1\r\nb:\r\n  - x\r\n")), { a: 1, b: ["x"] });
});

Deno.test("an alias stands for the value of its anchor", () => {
  assertEquals(plain(parseYamlValue("a: &up { host: h }\nb: *up")), { a: { host: "h" }, b: { host: "h" } });
});

const refused: readonly [name: string, text: string, message: string][] = [
  ["a tab as indentation, with its line", "a:\n  b: 1\n\tc: 2", "3:2: a tab before the first word"],
  ["a tab as indentation with CRLF", "a:\r\n\tc: 2", "2:2: a tab"],
  [
    "a field that stands twice",
    "a: 1\na: 2",
    "2:1: not YAML: duplicated key; a field may appear only once",
  ],
  ["a tag", "a: !!int 7", "tags are not supported"],
  ["an unclosed quote", 'a: "b', "double quoted"],
  ["an unclosed bracket", "a: [1, 2", "2:1: not YAML"],
  ["an alias without an anchor", "a: *b", 'unidentified alias "b"'],
  [
    "an IPv6 address without quotes, with the advice to quote",
    "- address: [::1]:90",
    'quote an IPv6 address: "[::1]:9000"',
  ],
  ["a second document", "---\na: 1\n---\nb: 2", "more than 1 document"],
  ["a control character", "a: \x07", "non-printable"],
];
for (const [name, text, message] of refused) {
  Deno.test(`not accepted: ${name}`, () => {
    const { where, message: said } = assertThrows(() => parseYamlValue(text), YamlError);
    const { line, column } = typeof where === "object" ? where : { line: 0, column: 0 };
    assertStringIncludes(`${line}:${column}: ${said}`, message);
  });
}

const bombs: readonly [name: string, text: string, message: string][] = [
  ["aliases that multiply", aliasBomb(), "has more than 4000000 values, including those of aliases (*name)"],
  ["a list that contains itself", "&a [*a]", "nested more than 32 levels deep"],
  ["five million aliases", `a: &a [1]\nb: [${"*a,".repeat(5e6)}]`, "more than 1000000 aliases (*name)"],
  [
    "aliases of a long list",
    `a: &a [${"1,".repeat(1000)}]\nb: [${"*a,".repeat(9e5)}]`,
    "has more than 4000000 values",
  ],
  ["an integer of a million digits", `a: { b: [${"7".repeat(1e6)}] }`, "found an integer of 1000000 digits"],
  ["a million brackets", "[".repeat(1e6), "nested more than 32 levels deep"],
  ["a million dashes", "- ".repeat(1e6), "nested more than 32 levels deep"],
  ["a million braces", "{a: ".repeat(1e6), "nested more than 32 levels deep"],
  ["a million question marks", "? ".repeat(1e6), "nested more than 32 levels deep"],
  ["a million directives", "%a\n".repeat(1e6), "not indented as YAML requires"],
  ["a million lines indented too little", "a: [\n" + "x,\n".repeat(1e6), "not indented as YAML requires"],
];
for (const [name, text, message] of bombs) {
  Deno.test(`refused without a hang: ${name}`, () => {
    const start = performance.now();
    assertThrows(() => parseYamlValue(text), UsageError, message);
    // hours without a limit; half a minute where coverage is measured on a busy machine
    assertLess(performance.now() - start, 120_000);
  });
}

function aliasBomb(): string {
  const names = [..."abcdefghij"];
  return names.map((name, index) => {
    const items = index === 0 ? "x" : `*${names[index - 1]}`;
    return `${name}: &${name} [${Array(10).fill(items).join(", ")}]\n`;
  }).join("");
}
