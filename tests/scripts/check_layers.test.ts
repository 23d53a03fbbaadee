import { importsOf, violation } from "../../scripts/check_layers.ts";
import { assertEquals } from "../assert.ts";

Deno.test("a stage may not import another stage, nor the files that join stages", () => {
  assertEquals(typeof violation("lib/relay/relay.ts", "lib/route/table.ts"), "string");
  assertEquals(typeof violation("lib/relay/relay.ts", "lib/balancer.ts"), "string");
  assertEquals(typeof violation("lib/relay/relay.ts", "lib/connection/handshake.ts"), "string");
  assertEquals(typeof violation("lib/util/text.ts", "lib/connection/handshake.ts"), "string");
  assertEquals(typeof violation("lib/upstream/dialer.ts", "lib/cli/flags.ts"), "string");
});

Deno.test("a stage may import itself, the contracts and shared files", () => {
  for (
    const target of ["lib/relay/other.ts", "lib/transport/duplex.ts", "lib/config/config.ts", "lib/errors.ts"]
  ) {
    assertEquals(violation("lib/relay/relay.ts", target), undefined);
  }
});

Deno.test("a utility imports only utilities; the files that join stages may import them", () => {
  assertEquals(typeof violation("lib/util/text.ts", "lib/frame/tlv.ts"), "string");
  assertEquals(typeof violation("lib/util/text.ts", "lib/errors.ts"), "string");
  assertEquals(violation("lib/util/text.ts", "lib/util/bytes.ts"), undefined);
  assertEquals(violation("lib/connection.ts", "lib/frame/tlv.ts"), undefined);
});

Deno.test("a room in no layer is a violation", () => {
  assertEquals(typeof violation("lib/attic/trunk.ts", "lib/util/text.ts"), "string");
});

Deno.test("rooms beside the path may import stages, but acceptance may not import the command", () => {
  assertEquals(violation("lib/cli/serve.ts", "lib/balancer.ts"), undefined);
  assertEquals(violation("lib/acceptance/server.ts", "lib/frame/tlv.ts"), undefined);
  assertEquals(typeof violation("lib/acceptance/server.ts", "lib/cli/flags.ts"), "string");
});

Deno.test("imports for their effects, and those made while running, are found", () => {
  const source = 'import "./a.ts";\nconst b = await import("../route/b.ts");\nconst c = "./c.ts";\n';
  assertEquals(importsOf("lib/relay/relay.ts", source), ["lib/relay/a.ts", "lib/route/b.ts"]);
});

Deno.test("imports and re-exports over several lines are found", () => {
  const source =
    'import {\n  a,\n} from "../route/table.ts";\nexport { b } from "./c.ts";\nimport x from "valibot";\n';
  assertEquals(importsOf("lib/relay/relay.ts", source), ["lib/route/table.ts", "lib/relay/c.ts"]);
});

/** Folders of tests/ that stand beside the mirror of lib/. */
const BESIDE = /^(browser|clients|docs|e2e|faults|property|scripts)\//;

/** The test files below a folder of tests/, without their ending. */
function* testsIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(`../${folder}`, import.meta.url))) {
    if (isDirectory) yield* testsIn(`${folder}${name}/`);
    else if (name.endsWith(".test.ts")) yield `${folder}${name.slice(0, -".test.ts".length)}`;
  }
}

function isInLib(file: string): boolean {
  try {
    return Deno.statSync(new URL(`../../lib/${file}.ts`, import.meta.url)).isFile;
  } catch {
    return false;
  }
}

Deno.test("tests mirror lib/: each file is that of a file there, or a theme in the folder of one", () => {
  const mirrored = [...testsIn("")].filter((file) => !BESIDE.test(file));
  const stray = mirrored.filter((file) => !isInLib(file) && !isInLib(file.replace(/\/[^/]+$/, "")));
  assertEquals([mirrored.length > 100, stray], [true, []]);
});
