import { assertEquals, assertStringIncludes } from "../assert.ts";
import { run } from "../cli/command.ts";

const route = (fields: string) => `routes:\n  - { ${fields} }\n`;
const wrong: Record<string, [text: string, said: string]> = {
  "an empty file": ["", "empty"],
  "a file that is not YAML": ["routes: [", "YAML"],
  "an unknown field": [`${route("id: 1, host: a, port: 1")}loging: {}\n`, "loging"],
  "port 0": [route("id: 1, host: a, port: 0"), "routes[0].port"],
  "port 65536": [route("id: 1, host: a, port: 65536"), "65536"],
  "port http": [route("id: 1, host: a, port: http"), "http"],
  "a duplicate ID": [
    `${route("id: 1, host: a, port: 1")}  - { id: "1", host: b, port: 2 }\n`,
    "routes[1].id",
  ],
  "the ID 007": [route("id: 007, host: a, port: 1"), "quote"],
  "the ID true": [route("id: true, host: a, port: 1"), "quote"],
  "a missing host": [route("id: 1, port: 1"), "host"],
  "tabs": ["routes:\n\t- { id: 1, host: a, port: 1 }\n", "tab"],
  "a bare-number duration": [`${route("id: 1, host: a, port: 1")}timeouts: { id: 5 }\n`, "timeouts.id"],
};

for (const [what, [text, said]] of Object.entries(wrong)) {
  Deno.test(`${what} is one line and exit status 2`, async () => {
    const file = await Deno.makeTempFile({ suffix: ".yaml" });
    await Deno.writeTextFile(file, text);
    const { status, err: lines } = await run("check", "-c", file);
    await Deno.remove(file);
    assertEquals([status, lines.length], [2, 1], lines.join("\n"));
    assertStringIncludes(lines[0] ?? "", file);
    assertStringIncludes(lines[0] ?? "", said);
  });
}

Deno.test("no file, and a directory, are one line and exit status 2", async () => {
  const folder = await Deno.makeTempDir();
  for (const path of [folder, `${folder}/none.yaml`]) {
    const { status, err: lines } = await run("check", "-c", path);
    assertEquals([status, lines.length], [2, 1]);
    assertStringIncludes(lines[0] ?? "", path);
  }
  await Deno.remove(folder);
});

Deno.test("an unknown command or flag is one line with a hint and exit status 2", async () => {
  for (const args of [["chek"], ["check", "--confg", "x"]]) {
    const { status, err: lines } = await run(...args);
    assertEquals([status, lines.length], [2, 1]);
    assertStringIncludes(lines[0] ?? "", "did you mean");
  }
});

Deno.test("a port in use is reported in one line, with exit status 1", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${taken.addr.port}`;
  const { status, err: lines } = await run("serve", "--listen", address, "--route", "1=127.0.0.1:9");
  assertEquals([status, lines.length], [1, 1]);
  assertStringIncludes(lines[0] ?? "", `${address}: the address is in use`);
});

Deno.test("--default and --route without a host end with exit status 2", async () => {
  for (const words of [["--default", ":8888"], ["--route", "1=:8888"], ["--default", "n1.example.com"]]) {
    const { status, err } = await run("serve", "--route", "2=127.0.0.1:9", ...words);
    assertEquals([status, err.length], [2, 1]);
    assertStringIncludes(err[0] ?? "", `${words[0]}: "${words[1]}" is not`);
  }
});

Deno.test("an ID or an address given twice on the command line is one line and exit status 2", async () => {
  const one = ["--listen", "127.0.0.1:8888", "--route", "1=127.0.0.1:9"];
  for (const again of [["--listen", "127.0.0.1:8888"], ["--route", "1=127.0.0.1:10"]]) {
    const { status, err } = await run("serve", ...one, ...again);
    assertEquals([status, err.length], [2, 1]);
    assertStringIncludes(err[0] ?? "", "is given more than once");
  }
});

Deno.test("an unknown flag of several letters is reported once", async () => {
  const { err } = await run("check", "-xfoo");
  assertEquals(err, [...new Set(err)]);
  assertStringIncludes(err[0] ?? "", 'unknown flag "-xfoo"');
});
