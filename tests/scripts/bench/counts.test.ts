import { assertMatch } from "@std/assert";
import { printed } from "./printed.ts";

Deno.test("scripts/bench/counts.ts prints the cost of own and of shared counts", async () => {
  const text = await printed("counts.ts", "1000");
  for (const limits of ["default limits", "every limit"]) {
    assertMatch(text, new RegExp(`permit, own counts, ${limits}: \\d+ ns`));
    assertMatch(text, new RegExp(`permit, shared counts, two threads at once, ${limits}: \\d+ ns`));
  }
  assertMatch(text, /connections of a server, shared counts: \d+ ns/);
  assertMatch(text, /\d+\.\d MiB reserved/);
});
