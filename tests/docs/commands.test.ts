/**
 * The commands in README and docs/. Each `switchyard` line must parse, each `deno task` must exist, and commands that
 * end at once are run. A block with other commands has a comment that names the test that runs it, or gives the reason
 * why none does.
 */

import { COMMANDS } from "../../lib/cli/commands.ts";
import { readFlags } from "../../lib/cli/flags.ts";
import { assert, assertEquals } from "../assert.ts";
import { run } from "../cli/command.ts";

const ROOT = new URL("../../", import.meta.url);
const PAGES = [
  "README.md",
  "CONTRIBUTING.md",
  ...[...Deno.readDirSync(new URL("docs", ROOT))].map(({ name }) => `docs/${name}`)
    .filter((name) => name.endsWith(".md")),
];
const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));

/** The sh blocks of a page. */
function shellBlocks(page: string): string[] {
  return [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text = ""]) => text);
}

/** The lines of the page's sh blocks, continued ones joined, without comments. */
function shellLines(page: string): string[] {
  return shellBlocks(page).join("").replaceAll("\\\n", " ").split("\n")
    .map((line) => line.replace(/(^| )#.*$/, "").replace(/\s+/g, " ").trim())
    .filter((line) => line !== "");
}

/** Code in prose that looks like a whole command line. */
function inlineLines(page: string): string[] {
  const prose = page.replace(/^```.*?^```$/gms, "");
  return [...prose.matchAll(/`((?:switchyard|deno task) [^`]*)`/g)].map(([, line = ""]) =>
    line.replace(/\s+/g, " ")
  );
}

/** The words behind `switchyard`, or behind another name of the program in the pages. */
function switchyardWords(line: string): string[] | undefined {
  const [, rest] =
    /(?:^|[ "(])(?:\.\/switchyard-\S+|(?:dist\/)?switchyard|deno run --allow-net --allow-read main\.ts) ([a-z]+\b.*)$/
      .exec(line) ?? [];
  if (rest === undefined || /^\s*[/.]/.test(rest)) return undefined;
  return rest.replace(/\)".*$/, "").replace(/ [<>|;…].*$/, "").split(" ").map((word) =>
    word.replaceAll(/^["']|["']$/g, "")
  );
}

/** Commands that need only their arguments and the files of the repository. */
const QUICK = new Set(["check", "explain", "routes", "schema", "version", "help", "completions"]);

/** Whether the tests below run the line. */
function isRun(line: string): boolean {
  const [command = "", ...args] = switchyardWords(line) ?? [];
  return QUICK.has(command) && !args.includes("--admin");
}

const ACCOUNT = /^# .*(?:run by (?:tests\/|a test)|the gate runs)/m;

/** The rows of docs/errors.md are wrong on purpose, and run by the test of that page. */
const WRONG_ON_PURPOSE = "docs/errors.md";

for (const name of PAGES) {
  const page = await Deno.readTextFile(new URL(name, ROOT));
  const shown = shellLines(page);
  const inline = name === WRONG_ON_PURPOSE ? [] : inlineLines(page);

  for (const line of new Set([...shown, ...inline])) {
    for (const [, task = ""] of line.matchAll(/\bdeno task ([a-z:]+)/g)) {
      Deno.test(`${name}: deno task ${task} exists (${line})`, () => assert(task in tasks, task));
    }
    const [command = "", ...args] = switchyardWords(line) ?? [];
    const subcommand = COMMANDS.get(command);
    if (command === "") continue;
    Deno.test(`${name}: switchyard ${[command, ...args].join(" ")} parses`, () => {
      assert(subcommand, `no command ${command}`);
      // in prose a command is often named without its required arguments
      const isNamed = !shown.includes(line) && args.length === 0;
      if (!isNamed) readFlags(args, subcommand.spec);
    });
  }

  Deno.test(`${name}: each block of commands is run, or has the reason why not`, () => {
    const silent = shellBlocks(page).filter((block) =>
      !ACCOUNT.test(block) && !shellLines(`\`\`\`sh\n${block}\`\`\`\n`).every(isRun)
    );
    assertEquals(silent, []);
  });

  for (const [path] of shellBlocks(page).join("").matchAll(/tests\/[\w./]*\w/g)) {
    Deno.test(`${name}: ${path} is there`, () => void Deno.statSync(new URL(path, ROOT)));
  }

  for (const line of shown.filter(isRun)) {
    const [command = "", ...args] = switchyardWords(line) ?? [];
    Deno.test(`${name}: ${line} runs`, async () => {
      const { status, err } = await run(command, ...args);
      assertEquals([status, err], [0, []]);
    });
  }
}
