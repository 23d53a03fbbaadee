import fc from "fast-check";
import { parseConfig } from "../../lib/config/parse.ts";
import { configWarnings } from "../../lib/config/warnings.ts";
import { codePointsOf, Glob } from "../../lib/route/glob.ts";
import { assertEquals } from "../assert.ts";
import { sized } from "../soak.ts";

function warningsOf(globs: readonly string[], more = ""): string[] {
  const routes = globs.map((match) => `  - { match: ${JSON.stringify(match)}, host: a, port: 1 }\n`);
  const config = parseConfig(`routes:\n${routes.join("")}${more}`, "routes.yaml");
  return [...configWarnings(config)].map(({ path, message }) => `${path}: ${message}`);
}

for (
  const [earlier, later, covered] of [
    ["*", "eu-*", true],
    ["eu-*", "eu-west-*", true],
    ["eu-?", "eu-1", true],
    ["*a*", "bab", true],
    ["a*c", "a?b*c", true],
    ["eu-west-*", "eu-*", false],
    ["eu-?", "eu-*", false],
    ["?", "*", false],
    ["a", "?", false],
  ] as const
) {
  Deno.test(`a route for ${later} behind one for ${earlier} is ${covered ? "" : "not "}warned of`, () => {
    assertEquals(warningsOf([earlier, later]).length, covered ? 1 : 0);
  });
}

Deno.test("a warning names both routes", () => {
  assertEquals(warningsOf(["us-*", "*", "eu-*"], "default: { host: a, port: 1 }\n"), [
    'routes[2].match: "eu-*" never matches: routes[1].match "*" matches all of its IDs first',
    'default: is never used: routes[1].match "*" matches every ID',
  ]);
});

Deno.test("no glob that some ID still reaches is reported as covered", () => {
  const glob = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), minLength: 1, maxLength: 5 });
  const id = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 6 });
  fc.assert(
    fc.property(glob, glob, fc.array(id, { maxLength: 30 }), (earlier, later, ids) => {
      fc.pre(earlier !== later);
      if (warningsOf([earlier, later]).length === 0) return;
      const matching = ids.map(codePointsOf).filter((points) => new Glob(later).matches(points));
      assertEquals(matching.every((points) => new Glob(earlier).matches(points)), true);
    }),
    { numRuns: sized(2000, 0.3) },
  );
});
