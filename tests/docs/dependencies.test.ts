/** docs/dependencies.md lists what deno.json pins. */

import project from "../../deno.json" with { type: "json" };
import validate from "../../scripts/validate/deno.json" with { type: "json" };
import { assertEquals } from "../assert.ts";

const PAGE = Deno.readTextFileSync(new URL("../../docs/dependencies.md", import.meta.url));

/** `name@version` of each package. */
function pinned(imports: Readonly<Record<string, string>>): string[] {
  return Object.values(imports).map((specifier) =>
    specifier.match(/^npm:((?:@[^/]+\/)?[^/]+)/)?.[1] ?? specifier
  );
}

/** `name@version` of each row of the page's tables, a row may have several. */
function listed(): Set<string> {
  const rows = [...PAGE.matchAll(/^\| (`[^|]+?) +\| ([\d., ]+?) +\|/gm)];
  return new Set(rows.flatMap(([, names = "", versions = ""]) => {
    const each = versions.split(", ");
    return names.split(", ").map((name, index) => `${name.replaceAll("`", "")}@${each[index]}`);
  }));
}

for (
  const [where, imports] of Object.entries({
    "the executable": project.imports,
    "tests": project.scopes["./tests/"],
    "deno task validate": validate.imports,
  })
) {
  Deno.test(`docs/dependencies.md lists every package of ${where} with its version`, () => {
    const missing = pinned(imports).filter((one) => !listed().has(one));
    assertEquals(missing, []);
  });
}
