import project from "../../deno.json" with { type: "json" };
import { packageFolder, productionConfig, reason, targetsOf } from "../../scripts/compile.ts";
import { assertEquals, assertMatch } from "../assert.ts";

Deno.test("a failed download of the base binary is reported in one line that names DENORT_BIN", () => {
  const said = `Compile file:///main.ts to dist/switchyard

error: Writing deno compile executable to temporary file 'dist/switchyard.tmp-1'

Caused by:
    0: Setting up base binary.
    1: error sending request for url (https://example.com/denort.zip): client error (Connect)

Stack backtrace:
   0: <unknown>
`;
  assertMatch(reason(said), /^the base binary .*could not be downloaded.* DENORT_BIN$/);
});

Deno.test("a DENORT_BIN that does not fit is distinguished from a failed download", () => {
  for (const cause of ["Could not find denort at '/none'", "Could not find standalone binary section."]) {
    assertMatch(
      reason(`Compile main.ts\nerror: ${cause}\n\nStack backtrace:\n   0: x\n`),
      /^DENORT_BIN must .* Could/,
    );
  }
});

Deno.test("other messages of the compiler are passed on, without the list of files and the backtrace", () => {
  const said =
    "Compile main.ts\nlib/denort.ts (1KB)\nerror: Module not found\n    at main.ts:1:1\n\nStack backtrace:\n   0: x\n";
  assertEquals(reason(said), "Module not found at main.ts:1:1");
});

Deno.test("the compiler gets only the packages of lib/, and the settings that affect them", () => {
  const packages = { valibot: "npm:valibot@1.5.0" };
  const scopes = { "./tests/": { ws: "npm:ws@8.23.0" } };
  assertEquals(
    productionConfig({ imports: packages, scopes, unstable: ["net"], tasks: {}, lock: { frozen: true } }),
    { imports: packages, unstable: ["net"] },
  );
});

Deno.test("no package is both for tests only and for the executable", () => {
  const inTests = Object.keys(project.scopes["./tests/"]);
  assertEquals(Object.keys(project.imports).filter((name) => inTests.includes(name)), []);
});

Deno.test("one target, all of them or this machine's are compiled for", () => {
  const arm = "aarch64-unknown-linux-gnu";
  assertEquals([targetsOf([]), targetsOf(["--target", arm])], [[undefined], [arm]]);
  assertEquals(targetsOf(["--all"]).length, 5);
});

for (const args of [["--target"], ["--target", "pdp11"], ["--fast"], ["--all", "--fast"]]) {
  Deno.test(`compile ${args.join(" ")} is refused in one line`, () => {
    assertEquals(typeof targetsOf(args), "string");
  });
}

Deno.test("a package is found in the compiler's cache by its key in the lock file", () => {
  assertEquals(packageFolder("@a/one@1.0.0_two@2.0.0"), "@a/one/1.0.0");
  assertEquals(packageFolder("two@2.0.0"), "two/2.0.0");
});
