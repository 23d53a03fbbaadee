import { assertMatch } from "@std/assert";
import { printed } from "./printed.ts";

Deno.test("scripts/bench/tables.ts prints load, reload and look-up of a table", async () => {
  const text = await printed("tables.ts", "1000");
  assertMatch(text, /switchyard load: \d+ ms, -?\d+ MiB more resident/);
  assertMatch(text, /switchyard reload: \d+ ms, .* held up for \d+ ms at most/);
  assertMatch(text, /switchyard look-up: \d+ ns/);
  assertMatch(text, /haproxy start with the map: \d+ ms|haproxy: ignored/);
});
