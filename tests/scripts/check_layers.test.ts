import { importsOf, LAYERS, misplaced, violation } from "../../scripts/check_layers.ts";
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

Deno.test("a room in no layer is a violation, and so is another file at the top of lib/", () => {
  for (const file of ["lib/attic/trunk.ts", "lib/attic/below/trunk.ts", "lib/helpers.ts"]) {
    assertEquals(typeof misplaced(file), "string");
  }
  for (const file of ["lib/engine.ts", "lib/config/schema/pools.ts", "lib/observe/observer.ts"]) {
    assertEquals(misplaced(file), undefined);
  }
});

Deno.test("outside of lib/ only deno.json may be imported", () => {
  assertEquals(typeof violation("lib/relay/relay.ts", "tests/wait.ts"), "string");
  assertEquals(typeof violation("lib/cli/serve.ts", "main.ts"), "string");
  assertEquals(violation("lib/cli/version.ts", "deno.json"), undefined);
});

Deno.test("the configuration's types are inferred from its schema, which is imported for types only", async () => {
  const source = await Deno.readTextFile(new URL("../../lib/config/config.ts", import.meta.url));
  const imports = source.match(/^import .* "\.\/schema\/.*$/gm);
  assertEquals(imports, ['import type { fileSchema } from "./schema/file.ts";']);
});

Deno.test("docs/architecture.md draws every layer", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/architecture.md", import.meta.url));
  const [, drawing = ""] = page.split("\n## Layers\n")[1]?.split("```") ?? [];
  const missing = LAYERS.flat().filter((room) => !new RegExp(`\\b${room}\\b`).test(drawing));
  assertEquals(missing, []);
});

Deno.test("rooms beside the path may import stages, but acceptance may not import the command", () => {
  assertEquals(violation("lib/cli/serve.ts", "lib/balancer.ts"), undefined);
  assertEquals(violation("lib/acceptance/server.ts", "lib/frame/tlv.ts"), undefined);
  assertEquals(typeof violation("lib/acceptance/server.ts", "lib/cli/flags.ts"), "string");
});

Deno.test("imports for side effects, dynamic imports and modules of workers are found", () => {
  const source = 'import "./a.ts";\nconst b = await import("../route/b.ts");\nconst c = "./c.ts";\n' +
    'const d = new URL("./d.ts", import.meta.url);\n';
  assertEquals(importsOf("lib/relay/relay.ts", source), [
    "lib/relay/a.ts",
    "lib/route/b.ts",
    "lib/relay/d.ts",
  ]);
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
