import { deal, moduleOf, testFiles } from "../../scripts/test.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("files are dealt out evenly, and none is left out or doubled", () => {
  const files = Array.from({ length: 11 }, (_, index) => `file:///tests/${index}.test.ts`);
  const groups = deal(files, 4);
  assertEquals(groups.map(({ length }) => length), [3, 3, 3, 2]);
  assertEquals(groups.flat().sort(), files.toSorted());
});

Deno.test("there is no group without files", () => {
  assertEquals(deal(["file:///a.test.ts"], 4), [["file:///a.test.ts"]]);
});

Deno.test("a group is a module that imports its files", () => {
  assertEquals(
    moduleOf(["file:///a.test.ts", 'file:///"b".test.ts']),
    'import "file:///a.test.ts";\nimport "file:///\\"b\\".test.ts";\n',
  );
});

Deno.test("every test file of a folder is found, at any depth", () => {
  const found = testFiles(new URL("../", import.meta.url));
  assertEquals(new Set(found).size, found.length);
  assert(found.includes(import.meta.url));
  assert(found.includes(new URL("../engine.test.ts", import.meta.url).href));
  assertEquals(found.filter((url) => !url.endsWith(".test.ts")), []);
});
