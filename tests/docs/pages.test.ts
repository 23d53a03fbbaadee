/** The README and the pages of docs/: their examples are valid, and their links lead to files and headings. */

import { parseConfig } from "../../lib/config/parse.ts";
import { REFUSAL_CODES } from "../../lib/errors.ts";
import { assertEquals } from "../assert.ts";

const ROOT = new URL("../../", import.meta.url);
const DOCS = [...Deno.readDirSync(new URL("docs", ROOT))].map(({ name }) => `docs/${name}`)
  .filter((name) => name.endsWith(".md"));
const PAGES = ["CONTRIBUTING.md", ...DOCS];

const read = (path: string) => Deno.readTextFileSync(new URL(path, ROOT));

/** Targets of the links of `page` within this repository, apart from those in code. */
function links(page: string): string[] {
  const prose = read(page).replace(/^```.*?^```$/gms, "").replace(/`[^`]*`/g, "");
  return [...prose.matchAll(/\]\(([^):]+)\)/g)].map(([, target = ""]) => target);
}

/** The anchors of a page's headings. */
function anchors(page: string): string[] {
  const headings = read(page).matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, text = ""]) =>
    text.toLowerCase().replace(/[^\w -]/g, "").replaceAll(" ", "-")
  );
}

for (const page of ["README.md", ...PAGES]) {
  Deno.test(`links in ${page} lead to files and headings`, () => {
    for (const link of links(page)) {
      const { pathname, hash } = new URL(link, new URL(page, "file:///"));
      const target = pathname.slice(1);
      assertEquals(["README.md", ...PAGES].includes(target), true, link);
      if (hash) assertEquals(anchors(target).includes(hash.slice(1)), true, link);
    }
  });
}

for (const page of ["README.md", ...PAGES]) {
  Deno.test(`files and folders named in ${page} exist`, () => {
    const named = [...read(page).matchAll(/`((?:lib|tests|scripts|docs)\/[\w./-]*)`/g)].map(([, path]) =>
      path
    );
    const missing = named.filter((path = "") => {
      try {
        return !Deno.statSync(new URL(path, ROOT));
      } catch {
        return true;
      }
    });
    assertEquals(missing, []);
  });
}

for (const page of ["README.md", "CHANGELOG.md", ...PAGES]) {
  Deno.test(`${page} has no merge conflict markers`, () => {
    assertEquals(read(page).match(/<{7} |>{7} |(^| )={7}$/gm), null);
  });
}

Deno.test("the README links to every page", () => {
  const linked = links("README.md");
  assertEquals(PAGES.filter((page) => !linked.includes(page)), []);
});

Deno.test("the table of the README is a configuration", () => {
  const [, yaml = ""] = /^```yaml\n(.*?)^```$/ms.exec(read("README.md")) ?? [];
  assertEquals(parseConfig(yaml, "README.md").routes.length, 3);
});

Deno.test("docs/protocol.md lists every ERROR code", () => {
  const [, table = ""] = read("docs/protocol.md").split(/^\| code .*$/m);
  const rows = [...table.matchAll(/^\| (\d) +\| ([A-Z_]+) /gm)];
  const codes = Object.fromEntries(rows.map(([, code, name]) => [name, Number(code)]));
  assertEquals(codes, { ...REFUSAL_CODES });
});
