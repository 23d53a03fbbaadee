import { percent, readLcov } from "../../scripts/coverage.ts";
import { assertEquals } from "../assert.ts";

const LCOV = `SF:/project/lib/one.ts
DA:1,1
LF:10
LH:9
end_of_record
SF:/project/tests/two.ts
LF:100
LH:0
end_of_record
SF:/elsewhere/lib/three.ts
LF:100
LH:0
end_of_record
SF:/project/lib/four.ts
LF:30
LH:11
end_of_record
`;

Deno.test("the lines of counted files below the root are added up", () => {
  const files = readLcov(LCOV, "/project/", (file) => file.startsWith("lib/"));
  assertEquals(files, [{ file: "lib/one.ts", lines: 10, hit: 9 }, {
    file: "lib/four.ts",
    lines: 30,
    hit: 11,
  }]);
  assertEquals(percent(files), 50);
});

Deno.test("no files are no coverage, which fails every minimum", () => {
  assertEquals(percent(readLcov("", "/project/", () => true)) >= 0, false);
});
