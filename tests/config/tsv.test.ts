import fc from "fast-check";
import { parseHost, parsePort } from "../../lib/config/values.ts";
import { SharedTable } from "../../lib/tables/shared_table.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { sized } from "../soak.ts";
import { parsed, tableOf } from "../tables.ts";

function entriesOf(text: string): unknown[] {
  return [...tableOf(text).entries()].map(({ id, line, target }) => [id, line, target]);
}

const TWO = [["1", 2, { host: "a.example.com", port: 7 }], ["2", 3, { host: "::1", port: 65535 }]];
const ROWS = "1\ta.example.com\t7\n2\t::1\t65535";

for (
  const [name, text] of [
    ["a header", `ID\thost\tport\n${ROWS}\n`],
    ["a header in another language", `Kennung\tRechner\tAnschluss\n${ROWS}\n`],
    ["a header in another script", `设备\t主机\t端口\n${ROWS}\n`],
    ["a comment", `# 1\t2\n${ROWS}\n`],
    ["a blank line", ` \t\n${ROWS}\n`],
    ["CRLF", `\r\n${ROWS.replaceAll("\n", "\r\n")}\r\n`],
    ["no newline at the end", `\n${ROWS}`],
    ["a byte order mark", `\u{feff}ID\thost\tport\n${ROWS}\n`],
    ["empty fields at the end of lines", `\n${ROWS.replaceAll("\n", "\t\t\n")}\t\n`],
  ] as const
) {
  Deno.test(`a table with ${name} is read`, () => assertEquals(entriesOf(text), TWO));
}

Deno.test("two fields are an ID and the name of a pool, after a header with two fields", () => {
  const { data, problems } = parsed(["device\tpool\n1\teu\n2\teu\t\n"]);
  assertEquals(problems, []);
  assertEquals(data.files[0]?.header, { line: 1, text: "device\tpool" });
  assertEquals([...new SharedTable(data).entries()].map(({ target }) => target), [{ pool: "eu" }, {
    pool: "eu",
  }]);
});

for (
  const [line, problem] of [
    ["1\ta\t70000", 'found "70000", expected a port, 1 to 65535'],
    ["1\ta\t07", 'found "07", expected a port, 1 to 65535'],
    ["1\ta b\t7", 'found "a b", expected a host name or IP address, without scheme, port or brackets'],
    ["1\t\t7", 'found "", expected a host name or IP address, without scheme, port or brackets'],
    ["1\tue", 'found "ue", expected a host and a port, or the name of a pool; did you mean "eu"?'],
    ["1 a 7", 'found "1 a 7", expected an ID, a host and a port with a tab between each, or an ID, a tab'],
    ["1\ta\t7\tx", "found 4 fields, expected an ID"],
    ["\ta\t7", 'found "", expected an ID of 1 to 255 bytes (limits.id_bytes), not of 0'],
    [`${"é".repeat(128)}\ta\t7`, "expected an ID of 1 to 255 bytes (limits.id_bytes), not of 256"],
    ["a\u0085b\ta\t7", "expected an ID without control characters and broken surrogates"],
    ["a\rb\ta\t7", 'found "a\\rb", expected an ID without control characters'],
    ["__proto__\ta\t7\n__proto__\tb\t7", 'found "__proto__" again, expected an ID of its own; 0.tsv:2 is'],
  ] as const
) {
  Deno.test(`a line ${JSON.stringify(line)} is an error with its number`, () => {
    const [first = "", ...others] = parsed([`# first\n${line}\n`]).problems;
    const number = 1 + line.split("\n").length;
    assertStringIncludes(first, `0.tsv:${number}: `);
    assertStringIncludes(first, problem);
    assertEquals(others, []);
  });
}

Deno.test("an ID that is not UTF-8 is an error; a comment may have any bytes", () => {
  const bad = Uint8Array.of(0x23, 0xff, 0x0a, 0x41, 0xff, 0x09, 0x61, 0x09, 0x37, 0x0a);
  assertEquals(parsed([bad]).problems, ['0.tsv:2: found "A\ufffd", expected text in UTF-8']);
});

Deno.test("a file in UTF-16 and an empty file are reported as such", () => {
  const { problems } = parsed([Uint8Array.of(0xff, 0xfe, 0x31, 0), "", "# none\n", "\ufeff\r\n"]);
  assertEquals(problems.length, 3);
  assertStringIncludes(problems[0] ?? "", "0.tsv:1: found text in UTF-16, expected UTF-8");
  assertStringIncludes(problems[1] ?? "", "1.tsv:1: the file is empty");
  assertStringIncludes(problems[2] ?? "", "3.tsv:1: the file is empty");
});

for (
  const [name, text, problem] of [
    ["lone carriage returns", "ID\tpool\rx\teu\ry\teu\r", "found 4 fields, expected an ID"],
    ["a NUL", "a\tb\0\tc\n", 'found "b\\u0000", expected a host name'],
    ["a name where the port belongs", "1\ta.example.com\thttp\n", 'found "http", expected a port'],
    ["an empty field", "a\t\tb\n", 'found "", expected a host name'],
  ] as const
) {
  Deno.test(`a first line with ${name} is no header, so it is an error`, () => {
    assertStringIncludes(parsed([text]).problems.join("; "), problem);
  });
}

for (
  const header of ["id\thost.name\tport", "id\tIPv4\tport", "sha256\thost\tport\tnote", "Gerät 1\tGruppe"]
) {
  Deno.test(`the first line ${JSON.stringify(header)} is a header`, () => {
    const { data, problems } = parsed([`${header}\n1\ta\t7\n`]);
    assertEquals([problems, data.files[0]?.header?.text], [[], header]);
  });
}

Deno.test("without pools a first line with two fields is no header", () => {
  const { problems } = parsed(["1\teu\n"], { pools: [] });
  assertEquals(problems, ['0.tsv:1: found "eu", expected a host and a port: there are no pools']);
});

Deno.test("a line that is too long is an error with any content", () => {
  const long = new Uint8Array(sized(700 << 20, 0.001));
  long.set([0x31, 0x09]);
  const { problems } = parsed([long]);
  assertEquals(problems, [`0.tsv:1: found a line of ${long.length} bytes, expected at most 131072`]);
});

Deno.test("no similar pool name is searched for if no problem is reported", () => {
  const pools = Array.from({ length: 1000 }, (_, index) => `pool-${index}`);
  const wrong = Array.from({ length: 20_000 }, (_, index) => `${index}\tpool-of-${index}\n`);
  const before = performance.now();
  const { problems } = parsed([wrong.join("")], { pools });
  assertEquals(problems.length, 11);
  assertStringIncludes(problems[9] ?? "", 'did you mean "pool-9"?');
  // about 30 ms; more than 6 s if every line is compared with every pool
  assert(performance.now() - before < 3000);
});

Deno.test("for each file the first ten problems are reported, and the number of others", () => {
  const { problems } = parsed(["x\n".repeat(1234), "1\ta\t0\n"]);
  assertEquals(problems.length, 12);
  assertEquals(problems[10], "0.tsv: and 1224 more problems");
  assertStringIncludes(problems[11] ?? "", "1.tsv:1: ");
});

Deno.test("an ID in two files is an error that names both places", () => {
  assertEquals(parsed(["1\ta\t7\n2\ta\t7\n", "3\ta\t7\n2\tb\t7\n"]).problems, [
    '1.tsv:2: found "2" again, expected an ID of its own; 0.tsv:2 is the same',
  ]);
});

/** A table by a naive parser. Undefined if a line is wrong. */
function naive(text: string): Map<string, unknown> | undefined {
  const found = new Map<string, unknown>();
  for (const row of text.replace(/^\ufeff/, "").split("\n")) {
    const line = row.replace(/\r$/, "").replace(/\t+$/, "");
    if (line.startsWith("#") || line.trim() === "") continue;
    const [id = "", target = "", port, ...others] = line.split("\t");
    const isRight = port === undefined ? target === "eu" : parseHost(target) && parsePort(port);
    if (!isRight || others.length > 0 || id === "" || /\p{Cc}/u.test(id) || found.has(id)) return undefined;
    found.set(id, port === undefined ? { pool: target } : { host: target, port: Number(port) });
  }
  return found;
}

Deno.test("random files give the same as a naive parser", () => {
  const id = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 4 }),
    fc.constantFrom("a", "__proto__", "é", "1"),
  );
  const target = fc.constantFrom("eu", "eu\t", "a\t7", "::1\t65535", "a\t0", "x", "a\t7\t\t", "a\t7\tb");
  const row = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(id, target).map((fields) => fields.join("\t")) },
    fc.constantFrom("# comment", "", " ", "a b", "\t"),
  );
  const file = fc.tuple(fc.array(row), fc.constantFrom("\n", "\r\n"), fc.constantFrom("", "\ufeff"));
  fc.assert(fc.property(file, ([rows, end, mark]) => {
    const text = `${mark}first\ta\t7${end}${rows.join(end)}`;
    const { data, problems } = parsed([text]);
    const expected = naive(text);
    assertEquals(problems.length === 0, expected !== undefined, problems.join());
    if (!expected) return;
    const table = new SharedTable(data);
    assertEquals(new Map([...table.entries()].map(({ id, target }) => [id, target])), expected);
    for (const [id, target] of expected) assertEquals(table.find(id)?.target, target as never);
  }));
});
