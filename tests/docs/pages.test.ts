/** The README and the pages of docs/: what they show holds, and what they link to is there. */

import { parseConfig } from "../../lib/config/parse.ts";
import { REFUSAL_CODES } from "../../lib/errors.ts";
import { assertEquals } from "../assert.ts";

const ROOT = new URL("../../", import.meta.url);
const DOCS = [...Deno.readDirSync(new URL("docs", ROOT))].map(({ name }) => `docs/${name}`)
  .filter((name) => name.endsWith(".md"));
const PAGES = ["CONTRIBUTING.md", ...DOCS];

const read = (path: string) => Deno.readTextFileSync(new URL(path, ROOT));

/** What `page` links to within this repository, without what is in code. */
function links(page: string): string[] {
  const prose = read(page).replace(/^```.*?^```$/gms, "").replace(/`[^`]*`/g, "");
  return [...prose.matchAll(/\]\(([^):]+)\)/g)].map(([, target = ""]) => target);
}

/** The names that headings of a page go by in a link. */
function anchors(page: string): string[] {
  const headings = read(page).matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, text = ""]) =>
    text.toLowerCase().replace(/[^\w -]/g, "").replaceAll(" ", "-")
  );
}

for (const page of ["README.md", ...PAGES]) {
  Deno.test(`what ${page} links to is there`, () => {
    for (const link of links(page)) {
      const { pathname, hash } = new URL(link, new URL(page, "file:///"));
      const target = pathname.slice(1);
      assertEquals(["README.md", ...PAGES].includes(target), true, link);
      if (hash) assertEquals(anchors(target).includes(hash.slice(1)), true, link);
    }
  });
}

for (const page of ["README.md", ...PAGES]) {
  Deno.test(`files and folders that ${page} names are there`, () => {
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
  Deno.test(`${page} has no marks of a merge`, () => {
    assertEquals(read(page).match(/<{7} |>{7} |(^| )={7}$/gm), null);
  });
}

Deno.test("the README leads to every page", () => {
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
