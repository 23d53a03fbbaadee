import { main } from "../../main.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";

const FILE = `
routes: [{ id: 1, host: n1.example.com, port: 7777 }]
allow: [10.0.0.0/8]
deny: [10.66.0.0/16]
`;

/** Exit status and lines of `explain 1 --from ADDRESS`. */
async function explainFrom(address: string) {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  await Deno.writeTextFile(file, FILE);
  const lines: string[] = [];
  const say = (line: string) => lines.push(line);
  const args = ["explain", "1", "-c", file, "--from", address];
  const status = await main(args, { out: say, err: say, stderrIsTerminal: false });
  await Deno.remove(file);
  return { status, lines };
}

Deno.test("explain --from names the entry that lets an address in", async () => {
  const { status, lines } = await explainFrom("10.1.2.3");
  assertEquals([status, lines[0]], [0, "from 10.1.2.3: let in: allow 10.0.0.0/8"]);
  assertStringIncludes(lines[1] ?? "", "n1.example.com:7777");
});

Deno.test("explain --from names the entry that keeps an address out, with exit status 1", async () => {
  const { status, lines } = await explainFrom("::ffff:10.66.0.1");
  assertEquals(status, 1);
  assertEquals(lines[0], "from ::ffff:10.66.0.1: turned away with FORBIDDEN (8): deny 10.66.0.0/16");
});

Deno.test("explain --from with what is no address is one line and exit status 2", async () => {
  for (const address of ["10.0.0.0/8", "here"]) {
    const { status, lines } = await explainFrom(address);
    assertEquals([status, lines.length], [2, 1]);
    assertStringIncludes(lines[0] ?? "", "--from");
  }
});
