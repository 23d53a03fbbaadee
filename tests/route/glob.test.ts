import * as fc from "fast-check";
import { codePointsOf, Glob } from "../../lib/route/glob.ts";
import { assert, assertEquals } from "../assert.ts";
import { sized } from "../soak.ts";

/** The definition of a match, by trying all ways to split the ID: obviously correct, but slow. */
function naive(glob: readonly string[], id: readonly string[]): boolean {
  const [first, ...rest] = glob;
  if (first === undefined) return id.length === 0;
  if (first === "*") return id.some((_, at) => naive(rest, id.slice(at))) || naive(rest, []);
  return id.length > 0 && (first === "?" || first === id[0]) && naive(rest, id.slice(1));
}

/** `id`, and a count of the accesses to its characters. */
function counted(id: string) {
  const points = codePointsOf(id);
  const counter = { count: 0 };
  const ids = new Proxy(points, {
    get(target, key, receiver) {
      if (key !== "length") counter.count += 1;
      return Reflect.get(target, key, receiver);
    },
  });
  return { counter, ids };
}

const few = (characters: string, maxLength: number) =>
  fc.array(fc.constantFrom(...characters), { maxLength }).map((all) => all.join(""));

Deno.test("a glob matches according to its definition", () => {
  fc.assert(
    fc.property(few("ab*?😀", 8), few("ab😀-", 10), (glob, id) => {
      assertEquals(new Glob(glob).matches(codePointsOf(id)), naive([...glob], [...id]));
    }),
    { numRuns: sized(5000, 0.2) },
  );
});

Deno.test("a glob matches the whole ID, and ? is one character of any length in bytes", () => {
  const cases: [glob: string, id: string, matches: boolean][] = [
    ["*", "", true],
    ["eu-*", "eu-", true],
    ["eu-*", "EU-1", false],
    ["*-prod", "a-prod-prod", true],
    ["a*a", "a", false],
    ["a*b*c", "abbc", true],
    ["?", "😀", true],
    ["??", "😀", false],
    ["[a]", "a", false],
    ["a.c", "abc", false],
    ["\\*", "\\x", true],
    ["a?*?b", "axyb", true],
    ["a?*?b", "axb", false],
    ["*\n*", "a\nb", true],
  ];
  for (const [glob, id, expected] of cases) {
    assertEquals(new Glob(glob).matches(codePointsOf(id)), expected, `${glob} and ${JSON.stringify(id)}`);
  }
});

/** Most accesses to characters, as documented in `lib/route/glob.ts`. */
function bound(glob: string, id: string): number {
  const longest = Math.max(1, ...glob.split("*").map((run) => run.includes("?") ? run.length : 1));
  return id.length * longest + glob.length;
}

Deno.test("no ID makes a glob slow", () => {
  const hostile = fc.tuple(few("-a*?", 24), few("-a", 4), fc.integer({ min: 0, max: 65_535 }));
  fc.assert(
    fc.property(hostile, ([glob, unit, length]) => {
      const id = (unit || "-").repeat(length).slice(0, Math.min(length, 4000));
      const { counter, ids } = counted(id);
      new Glob(glob).matches(ids);
      assert(counter.count <= bound(glob, id), `${counter.count} looks: ${glob}, ${id.length} x ${unit}`);
    }),
    { numRuns: 200 },
  );
});

Deno.test("an ID of 65,535 bytes takes time in proportion to its length", () => {
  const id = "-".repeat(65_535);
  for (
    const glob of [
      "*-*-*-*-*-prod",
      "*-*-*-*-*-p*",
      "*--------a*",
      `*${"-".repeat(1000)}a*`,
      "*?-?-?-?a*",
      "-*-*-*-*-a-*-",
      "*".repeat(99),
    ]
  ) {
    const { counter, ids } = counted(id);
    new Glob(glob).matches(ids);
    assert(counter.count <= bound(glob, id), `${glob}: ${counter.count} looks`);
  }
});
