import { parseConfig } from "../../lib/config/parse.ts";
import { configSchemaFields, isLeaf, rootSchema, schemaNodes } from "../config/fields.ts";
import { assert, assertEquals } from "../assert.ts";

const page = await Deno.readTextFile(new URL("../../docs/configuration.md", import.meta.url));

const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, yaml]) => yaml ?? "");

for (const [index, yaml] of examples.entries()) {
  Deno.test(`example ${index + 1} in docs/configuration.md is a configuration`, () => {
    assert(parseConfig(yaml, "example").routes.length > 0);
  });
}

Deno.test("docs/configuration.md lists every field that takes a value", () => {
  const missing = configSchemaFields().filter((field) => !page.includes(`| \`${field}\``));
  assertEquals(missing, []);
});

Deno.test("docs/configuration.md has the default of every field", () => {
  const rows = [...page.matchAll(/^\| `([^`]+)` +\|[^|\n]*\| +(.*?) +\|/gm)];
  const shown = new Map(rows.map(([, field = "", text = ""]) => [field, text]));
  const fields = [...schemaNodes(rootSchema())].filter(([, node]) =>
    isLeaf(node) && node.default !== undefined
  );
  const wrong = fields.filter(([field, node]) => shown.get(field) !== `\`${node.default}\``);
  assertEquals([fields.length > 20, wrong.map(([field, node]) => [field, shown.get(field), node.default])], [
    true,
    [],
  ]);
});

Deno.test("the example with every field in docs/configuration.md has every field", () => {
  const complete = examples[1] ?? "";
  const names = configSchemaFields().flatMap((field) => field.split(/[.[\]*]+/));
  assertEquals(names.filter((name) => !complete.includes(`${name}:`)), []);
});
