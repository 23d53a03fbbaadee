/** Colours on a terminal, which script(1) simulates, and none otherwise. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { commandLine } from "../e2e/processes.ts";
import { run, runWith } from "./command.ts";

const hasScript = await (async () => {
  try {
    const { stdout } = await new Deno.Command("script", { args: ["--version"] }).output();
    return new TextDecoder().decode(stdout).includes("util-linux");
  } catch {
    return false; // other platforms have other programs for this
  }
})();

/** The output of a command line, on a terminal or not. */
async function outputOf(
  words: readonly string[],
  { terminal, noColor = false }: { terminal: boolean; noColor?: boolean },
): Promise<string> {
  const environment = noColor ? ["NO_COLOR=1"] : ["-u", "NO_COLOR"];
  const line = ["env", ...environment, ...commandLine(words)];
  const [program = "", ...args] = terminal ? ["script", "-qec", line.join(" "), "/dev/null"] : line;
  const { stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

const ESCAPE = "\x1b[";

const PAINTED: readonly (readonly [words: readonly string[], text: string])[] = [
  [["chek"], `${ESCAPE}31mswitchyard:${ESCAPE}39m unknown command`],
  [["check", "routes.yaml"], `routes.yaml: ${ESCAPE}32mok${ESCAPE}39m`],
  [["explain", "2"], `${ESCAPE}32mID "2": id 2 -> n2.example.com:9999${ESCAPE}39m`],
  [["explain", "nobody"], `${ESCAPE}31mID "nobody": no route matches`],
  [["demo"], `  ${ESCAPE}32mok${ESCAPE}39m`],
];

for (const [words, text] of PAINTED) {
  Deno.test({
    name: `switchyard ${words.join(" ")} has colours on a terminal`,
    ignore: !hasScript,
    fn: async () => assertStringIncludes(await outputOf(words, { terminal: true }), text),
  });

  Deno.test(`switchyard ${words.join(" ")} has no colours where its output has none`, async () => {
    const { out, err } = await run(...words);
    assert([...out, ...err].length > 0);
    for (const line of [...out, ...err]) assertEquals(line.includes(ESCAPE), false, line);
  });
}

// both streams: the first goes to stderr, the second to stdout
for (const words of [["chek"], ["check", "routes.yaml"]]) {
  Deno.test({
    name: `the output of switchyard ${words.join(" ")} has no colours with NO_COLOR or in a pipe`,
    ignore: !hasScript,
    async fn() {
      for (const plain of [{ terminal: true, noColor: true }, { terminal: false }]) {
        const output = await outputOf(words, plain);
        assertEquals([output.length > 0, output.includes(ESCAPE)], [true, false], output);
      }
    },
  });
}

Deno.test("JSON has no colours", async () => {
  for (const words of [["check", "--json"], ["explain", "2", "--json"], ["routes", "--json"]]) {
    assertMatch((await runWith({ colors: { out: true, err: true } }, ...words)).out[0] ?? "", /^\{/);
  }
});
