/** Runs each completion script by its shell; missing shells are skipped. */

import { COMMANDS } from "../../lib/cli/commands.ts";
import { SHELLS } from "../../lib/cli/completion_scripts.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { run } from "./command.ts";

async function script(shell: string): Promise<string> {
  const { status, out } = await run("completions", shell);
  assertEquals(status, 0);
  return out.join("\n");
}

async function isInstalled(shell: string): Promise<boolean> {
  try {
    return (await new Deno.Command(shell, { args: ["-c", "true"] }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The lines that `shell` prints when it runs `before`, the script and `commands`. */
async function linesOf(shell: string, commands: string, cwd?: string, before = ""): Promise<string[]> {
  const text = `${before}\n${await script(shell)}\n${commands}`;
  const args = [...(shell === "zsh" ? ["-f"] : []), "-c", text];
  const { stdout, stderr } = await new Deno.Command(shell, { args, ...(cwd ? { cwd } : {}) }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout).trim().split("\n");
}

/** Bash's completions for the last of `words`. */
function bash(words: readonly string[], cwd?: string): Promise<string[]> {
  const typed = words.map((word) => `'${word}'`).join(" ");
  const commands = `COMP_WORDS=(switchyard ${typed}); COMP_CWORD=${words.length}
_switchyard; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return linesOf("bash", commands, cwd);
}

/** Fish's completions behind `words`, without descriptions. */
async function fish(words: string, cwd?: string): Promise<string[]> {
  return (await linesOf("fish", `complete -C 'switchyard ${words}'`, cwd)).map((line) =>
    line.split("\t")[0] ?? ""
  );
}

/** The completions that the script gives zsh, whose functions are replaced by ones that print. */
function zsh(words: readonly string[]): Promise<string[]> {
  const stubs = `compdef() { }; _arguments() { print -rl -- "$@" }; _describe() { print -rl -- \${(P)2} }`;
  const typed = words.map((word) => `'${word}'`).join(" ");
  const commands = `words=(switchyard ${typed}); CURRENT=${words.length + 1}; _switchyard`;
  return linesOf("zsh", commands, undefined, stubs);
}

const [hasBash, hasZsh, hasFish] = await Promise.all(SHELLS.map(isInstalled));

Deno.test({
  name: "bash completes commands, flags, the words of a value, and files",
  ignore: !hasBash,
  async fn() {
    assertEquals(await bash(["cl"]), ["client"]);
    assertEquals(await bash(["client", "--co"]), ["--connect", "--count"]);
    assertEquals(await bash(["--log-f"]), ["--log-format"]);
    assertEquals(await bash(["bench", "--mode", ""]), ["rtt", "connect", "stream"]);
    assertEquals(await bash(["bench", "--mode", "=", "s"]), ["stream"]);
    assertEquals(await bash(["bench", "--mode", "="]), ["rtt", "connect", "stream"]);
    assertEquals(await bash(["bench", "--id", ""]), [""]);
    assertEquals(await bash(["completions", "z"]), ["zsh"]);
    const cwd = await Deno.makeTempDir();
    await Deno.writeTextFile(`${cwd}/my routes.yaml`, "");
    assertEquals(await bash(["check", "-c", "my"], cwd), ["my routes.yaml"]);
    await Deno.remove(cwd, { recursive: true });
  },
});

Deno.test({
  name: "zsh gets the commands, and for each its flags, words and files",
  ignore: !hasZsh,
  async fn() {
    const commands = (await zsh([""])).map((line) => line.split(":")[0]);
    assertEquals(commands, [...COMMANDS.keys()]);
    const serve = await zsh(["--"]);
    assertStringIncludes(
      serve.join("\n"),
      "(--config -c)--config=[configuration file (routes.yaml)]:FILE:_files",
    );
    assertStringIncludes(
      serve.join("\n"),
      "*--listen=[listen here instead of where the file says]:HOST\\:PORT:",
    );
    const upstream = await zsh(["upstream", "--mode", ""]);
    assertStringIncludes(upstream.join("\n"), ":MODE:(receipt echo sink)");
    assertEquals((await zsh(["completions", ""])).at(-1), ":SHELL:(bash zsh fish)");
  },
});

Deno.test({
  name: "fish completes commands, flags, the words of a value, and files",
  ignore: !hasFish,
  async fn() {
    assertEquals(await fish("cl"), ["client"]);
    assertEquals(await fish("client --co"), ["--connect", "--count"]);
    assertEquals(await fish("--log-f"), ["--log-format"]);
    assertEquals((await fish("bench --mode ")).sort(), ["connect", "rtt", "stream"]);
    assertEquals((await fish("completions z")).sort(), ["zsh"]);
    const cwd = await Deno.makeTempDir();
    await Deno.writeTextFile(`${cwd}/mine.yaml`, "");
    assertEquals(await fish("check -c mi", cwd), ["mine.yaml"]);
    await Deno.remove(cwd, { recursive: true });
  },
});

Deno.test("every command and flag is in each script", async () => {
  for (const shell of SHELLS) {
    const text = await script(shell);
    for (const { spec } of COMMANDS.values()) {
      assertStringIncludes(text, spec.name);
      for (const flag of Object.keys(spec.flags)) {
        assertStringIncludes(text, shell === "fish" ? `-l ${flag} ` : `--${flag}`);
      }
    }
  }
});

Deno.test("another shell is one line and exit status 2", async () => {
  const { status, err } = await run("completions", "tcsh");
  assertEquals([status, err], [2, ['switchyard: completions: "tcsh" is not one of bash, zsh, fish']]);
});
