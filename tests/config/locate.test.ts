import fc from "fast-check";
import { UsageError } from "../../lib/errors.ts";
import { locateFields } from "../../lib/config/locate.ts";
import { parseConfig } from "../../lib/config/parse.ts";
import { parseYamlValue } from "../../lib/config/yaml.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "../assert.ts";

const TEXT = `a: &x 1
routes:
  - id: *x
    port: 7
  # in one line
  - { id: a, port: 0, "a b": 'x', list: [1, 2] }
`;

const places: readonly [path: string, value: string, name?: string][] = [
  ["", "1:1"],
  ["a", "1:7", "1:1"],
  ["routes", "3:3", "2:1"],
  ["routes[0]", "3:5"],
  ["routes[0].id", "3:9", "3:5"],
  ["routes[0].port", "4:11", "4:5"],
  ["routes[1]", "6:5"],
  ["routes[1].port", "6:20", "6:14"],
  ['routes[1]."a b"', "6:30", "6:23"],
  ["routes[1].list[1]", "6:45"],
  ["routes[1].missing", "6:5"],
  ["routes[9].port", "3:3"],
];

for (const [path, value, name] of places) {
  Deno.test(`the field "${path}" is found at ${value}`, () => {
    const at = (isName: boolean) => {
      const [{ line, column } = { line: 0, column: 0 }] = locateFields(TEXT, [{ path, isName }]);
      return `${line}:${column}`;
    };
    assertEquals(at(false), value);
    if (name !== undefined) assertEquals(at(true), name);
  });
}

Deno.test("a byte order mark and CRLF do not move positions", () => {
  assertEquals(locateFields("\u{feff}a: 1\r\nb: 2", [{ path: "b" }]), [{ line: 2, column: 4 }]);
});

function problemsOf(text: string): readonly string[] {
  return assertThrows(() => parseConfig(text, "routes.yaml"), UsageError).problems;
}

Deno.test("each problem of a file names its line and column", () => {
  const text = `timeouts: { idel: 5s }
routes:
  - { id: 1, host: a, port: 70000 }
  - { id: 1, hots: b, port: 1 }
`;
  assertEquals(problemsOf(text), [
    'routes.yaml:1:13: timeouts.idel: unknown field; did you mean "idle"?',
    "routes.yaml:3:29: routes[0].port: found 70000, expected a port, 1 to 65535",
    "routes.yaml:4:5: routes[1].host: missing, expected a host name or IP address, without scheme, port or brackets",
    "routes.yaml:4:11: routes[1].id: found 1 again, expected an ID of its own; routes[0].id is the same",
    'routes.yaml:4:14: routes[1].hots: unknown field; did you mean "host"?',
  ]);
});

Deno.test("text that is not YAML, or too large, is an error with its position", () => {
  assertMatch(problemsOf("a:\n  b: 1\n\tc: 2")[0] ?? "", /^routes\.yaml:3:2: a tab/);
  const [long = ""] = problemsOf(`routes:\n  - { id: ${"7".repeat(1_000_000)}, host: a, port: 1 }`);
  assertEquals(
    long,
    "routes.yaml:2:11: routes[0].id: found an integer of 1000000 digits, expected at most 1000; write a longer ID in quotes",
  );
});

Deno.test("with any names the position of a value is that of its text", () => {
  const name = fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" })
    .filter((text) =>
      text.isWellFormed() && !/\p{Cc}|\p{Cf}/u.test(text) && JSON.stringify(text).length < 60
    );
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 8 }), (names) => {
      const lines = names.map((each, index) => `${JSON.stringify(each)}: { port: 7000${index} }`);
      const problems = problemsOf(`${lines.join("\n")}\nroutes: []\n`);
      // also with a name such as "0", which comes first in a JavaScript object
      assertEquals(
        problems.map((problem) => problem.split(":").slice(1, 3).join(":")),
        names.map((_, at) => `${at + 1}:1`),
      );
    }),
    { examples: [[[" ", "0"]]] },
  );
});

/** The duration of the fastest of three runs, in milliseconds. */
function shortest(run: () => void): number {
  const times = [1, 2, 3].map(() => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return Math.min(...times);
}

Deno.test("locating one field takes little longer than parsing, for any length of the text", () => {
  const route = (id: number) => `  - { id: ${id}, host: n1.example.com, port: 7777 }`;
  const text = `routes:\n${Array.from({ length: 5000 }, (_, id) => route(id)).join("\n")}\n`;
  const parsing = shortest(() => parseYamlValue(text));
  const locating = shortest(() => locateFields(text, [{ path: "routes[4999].port" }]));
  assert(locating < 15 * parsing, `parsing took ${parsing} ms, locating ${locating} ms`);
});
