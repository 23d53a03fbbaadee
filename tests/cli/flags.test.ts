import { type CommandSpec, readFlags } from "../../lib/cli/flags.ts";
import { UsageError } from "../../lib/errors.ts";
import { assertEquals, assertThrows } from "../assert.ts";
import { run } from "./command.ts";

const spec: CommandSpec = {
  name: "test",
  summary: "",
  positional: ["[FILE]"],
  flags: {
    config: { value: "FILE", short: "c", help: "" },
    count: { value: "N", help: "" },
    id: { value: "ID", required: true, help: "" },
    quiet: { help: "" },
  },
};

const problemsOf = (...args: string[]) => assertThrows(() => readFlags(args, spec), UsageError).problems;

Deno.test("a value may be a dash or a negative number, and anything after =", () => {
  const flags = readFlags(["--count", "-5", "-c", "-", "--id=--x", "--quiet", "file"], spec);
  assertEquals([flags.value("count"), flags.value("config"), flags.value("id")], ["-5", "-", "--x"]);
  assertEquals([flags.has("quiet"), flags.positional], [true, ["file"]]);
});

Deno.test("a value may follow the letter of its flag directly", () => {
  for (const word of ["-cfile", "-c=file"]) {
    assertEquals(readFlags(["--id", "1", word], spec).value("config"), "file");
  }
});

Deno.test("a switch takes no value", () => {
  for (const value of ["yes", "true", "false", ""]) {
    const problem = `--quiet: found the value "${value}", but the flag takes none`;
    assertEquals(problemsOf("--id", "1", `--quiet=${value}`), [problem]);
  }
  assertEquals(problemsOf("--id=1", "--help=no"), ['--help: found the value "no", but the flag takes none']);
  assertEquals(readFlags(["--id=1", "--", "--quiet=no"], spec).positional, ["--quiet=no"]);
});

Deno.test("a missing flag is reported together with an argument that is not expected", () => {
  const missing: string[] = [];
  const error = assertThrows(() => readFlags(["file", "1"], spec, missing), UsageError);
  assertEquals(error.problems, [
    'test: unexpected argument "1"; see switchyard test --help',
    "test: --id ID is missing",
  ]);
});

Deno.test("a negative number is an argument, in its place among the others", () => {
  const pair = { ...spec, positional: ["ID", "[FILE]"] };
  assertEquals(readFlags(["-5", "file", "--id", "1"], pair).positional, ["-5", "file"]);
  assertEquals(readFlags(["file", "--id", "1", "-5"], pair).positional, ["file", "-5"]);
});

Deno.test("words after -- are arguments", () => {
  assertEquals(readFlags(["--id", "1", "--", "--quiet"], spec).positional, ["--quiet"]);
});

Deno.test("a missing, an empty and a required value are distinguished", () => {
  assertEquals(problemsOf("--id"), ["--id: a value is missing, expected ID"]);
  assertEquals(problemsOf("--id", "--quiet"), ["--id: a value is missing, expected ID"]);
  assertEquals(problemsOf("--id", ""), ["--id: the value is empty, expected ID"]);
  assertEquals(problemsOf(), ["test: --id ID is missing"]);
});

Deno.test("-V, -v and --version print the version", async () => {
  const { out } = await run("version");
  for (const flag of ["-V", "-v", "--version"]) assertEquals((await run(flag)).out, out);
});
