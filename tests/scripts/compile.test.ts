import { reason } from "../../scripts/compile.ts";
import { assertEquals, assertMatch } from "../assert.ts";

Deno.test("a base binary that cannot be downloaded is told in one line that names DENORT_BIN", () => {
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

Deno.test("a DENORT_BIN that does not fit is told from a failed download", () => {
  for (const cause of ["Could not find denort at '/none'", "Could not find standalone binary section."]) {
    assertMatch(
      reason(`Compile main.ts\nerror: ${cause}\n\nStack backtrace:\n   0: x\n`),
      /^DENORT_BIN must .* Could/,
    );
  }
});

Deno.test("what else the compiler says is passed on, without the list of files and the backtrace", () => {
  const said =
    "Compile main.ts\nlib/denort.ts (1KB)\nerror: Module not found\n    at main.ts:1:1\n\nStack backtrace:\n   0: x\n";
  assertEquals(reason(said), "Module not found at main.ts:1:1");
});
