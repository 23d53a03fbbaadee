import { COMMANDS } from "../../lib/cli/commands.ts";
import { helpText, wrap } from "../../lib/cli/usage.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { run } from "./command.ts";

for (const [name, { spec }] of COMMANDS) {
  Deno.test(`the help of ${name} fits 80 columns, with its required flags and an example`, async () => {
    const { status, out } = await run(name, "--help");
    assertEquals([status, out.join("\n")], [0, helpText(spec)]);
    const lines = helpText(spec).split("\n");
    assertEquals(lines.filter((line) => line.length > 80), []);
    assertEquals((await run("help", name)).out, out);
    const usage = lines.find((line) => line.startsWith("usage: ")) ?? "";
    for (const [flag, { required, value }] of Object.entries(spec.flags)) {
      if (required) assertStringIncludes(usage, ` --${flag} ${value}`);
    }
    assert((spec.examples ?? []).length > 0);
    for (const example of spec.examples ?? []) assertEquals(example.split(" ")[0], name);
  });
}

Deno.test("the list of commands fits 80 columns and names all of them", async () => {
  const { out } = await run("help");
  assertEquals(out.join("\n").split("\n").filter((line) => line.length > 80), []);
  for (const name of COMMANDS.keys()) assertStringIncludes(out.join("\n"), `  ${name} `);
});

Deno.test("text is wrapped at words; a longer word stands alone", () => {
  assertEquals(wrap("a bb ccc dddddd e", 4), ["a bb", "ccc", "dddddd", "e"]);
});
