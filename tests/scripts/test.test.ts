import { deal, moduleOf, SLOW, testFiles } from "../../scripts/test.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("files are distributed so that groups take equally long, each file once", () => {
  const files = Array.from({ length: 11 }, (_, index) => `file:///tests/${index}.test.ts`);
  assertEquals(deal(files, 4).flat().sort(), files.toSorted());
  assertEquals(deal(files, 4).map(({ length }) => length), [3, 3, 3, 2]);
  const groups = deal(files, 4, (file) => file === files[7] ? 10 : 3);
  assertEquals(groups.map(({ length }) => length), [1, 4, 3, 3]);
  assertEquals(groups[0], [files[7]]);
});

Deno.test("no group is empty", () => {
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

Deno.test("every file that is listed as slow exists", () => {
  const found = testFiles(new URL("../", import.meta.url));
  const urlOf = (path: string) => new URL(`../${path}.test.ts`, import.meta.url).href;
  assertEquals(Object.keys(SLOW).filter((path) => !found.includes(urlOf(path))), []);
});
