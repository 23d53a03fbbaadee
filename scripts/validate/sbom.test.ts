/** The bill of materials against the schema of CycloneDX. */

// @ts-types="./std.d.ts"
import { assertEquals } from "@std/assert";
import { projectBill } from "../sbom.ts";
import { problemsOf, readSchema } from "./schema.ts";

const read = (name: string) =>
  readSchema("@cyclonedx/cyclonedx-library", `../res/schema/${name}.SNAPSHOT.schema.json`);
const schema = read("bom-1.6");
// by the names that the schema calls them by
const others = Object.fromEntries(["spdx", "jsf-0.82"].map((name) => {
  const { $id: _id, ...other } = read(name);
  return [`http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`, other];
}));

Deno.test("the bill of materials fits CycloneDX 1.6", () => {
  assertEquals(problemsOf(projectBill(), schema, others), []);
});

Deno.test("a bill with an unknown field is reported", () => {
  const bill = { ...projectBill(), specVerison: "1.6" };
  assertEquals(problemsOf(bill, schema, others).length > 0, true);
});
