import { billOf, type Lock, type Project, projectBill } from "../../scripts/sbom.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const INTEGRITY = "sha512-AAH/";

const PROJECT: Project = {
  name: "@x/x",
  version: "1.2.3",
  license: "MIT",
  imports: { "@a/one": "npm:@a/one@1.0.0/mod.js", "@a/other": "npm:@a/one@1.0.0/other.js" },
};

const LOCK: Lock = {
  specifiers: { "npm:@a/one@1.0.0": "1.0.0_two@2.0.0" },
  npm: {
    "@a/one@1.0.0_two@2.0.0": { integrity: INTEGRITY, dependencies: ["two"] },
    "two@2.0.0": { integrity: INTEGRITY },
    "for-tests@3.0.0": { integrity: INTEGRITY },
  },
};

const LICENCES = { "@a/one": "MIT", two: "ISC" };

Deno.test("the bill lists Deno, the packages of the executable and their dependencies, and no others", () => {
  const { components } = billOf(PROJECT, LOCK, "2.9.6", LICENCES);
  assertEquals(components.map(({ purl }) => purl), [
    "pkg:github/denoland/deno@v2.9.6",
    "pkg:npm/%40a/one@1.0.0",
    "pkg:npm/two@2.0.0",
  ]);
});

Deno.test("the lock file's checksums are given in hexadecimal", () => {
  const { components } = billOf(PROJECT, LOCK, "2.9.6", LICENCES);
  assertEquals(components[2]?.hashes, [{ alg: "SHA-512", content: "0001ff" }]);
});

Deno.test("the bill states the dependencies of each package", () => {
  assertEquals(billOf(PROJECT, LOCK, "2.9.6", LICENCES).dependencies, [
    {
      ref: "pkg:generic/switchyard@1.2.3",
      dependsOn: ["pkg:github/denoland/deno@v2.9.6", "pkg:npm/%40a/one@1.0.0"],
    },
    { ref: "pkg:npm/%40a/one@1.0.0", dependsOn: ["pkg:npm/two@2.0.0"] },
    { ref: "pkg:npm/two@2.0.0", dependsOn: [] },
  ]);
});

Deno.test("a package of unknown licence, and one that is not locked, are errors", () => {
  assertThrows(() => billOf(PROJECT, LOCK, "2.9.6", {}), Error, "licence of @a/one");
  const imports = { ws: "npm:ws@8.0.0" };
  assertThrows(() => billOf({ ...PROJECT, imports }, LOCK, "2.9.6", LICENCES), Error, "deno install");
});

Deno.test("the project's own bill can be made, and has no package of tests", () => {
  const names = projectBill().components.map(({ name }) => name);
  assertEquals(names.includes("valibot") && !names.includes("fast-check"), true);
});
