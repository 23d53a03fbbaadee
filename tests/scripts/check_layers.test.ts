import { importsOf, violation } from "../../scripts/check_layers.ts";
import { assertEquals } from "../assert.ts";

Deno.test("a stage may not import another stage, nor what joins the stages", () => {
  assertEquals(typeof violation("lib/relay/relay.ts", "lib/route/table.ts"), "string");
  assertEquals(typeof violation("lib/relay/relay.ts", "lib/balancer.ts"), "string");
  assertEquals(typeof violation("lib/dial/connect.ts", "lib/cli/flags.ts"), "string");
});

Deno.test("a stage may import itself, the contracts and shared files", () => {
  for (
    const target of ["lib/relay/other.ts", "lib/listen/duplex.ts", "lib/config/config.ts", "lib/errors.ts"]
  ) {
    assertEquals(violation("lib/relay/relay.ts", target), undefined);
  }
});

Deno.test("imports and re-exports over several lines are found", () => {
  const source =
    'import {\n  a,\n} from "../route/table.ts";\nexport { b } from "./c.ts";\nimport x from "valibot";\n';
  assertEquals(importsOf("lib/relay/relay.ts", source), ["lib/route/table.ts", "lib/relay/c.ts"]);
});
