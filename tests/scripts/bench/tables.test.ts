import { assertMatch } from "@std/assert";

Deno.test("scripts/bench/tables.ts prints load, reload and look-up of a table", async () => {
  const script = new URL("../../../scripts/bench/tables.ts", import.meta.url);
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-all", "--no-prompt", script.href, "1000"],
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assertMatch(text, /switchyard load: \d+ ms, -?\d+ MiB more resident/);
  assertMatch(text, /switchyard reload: \d+ ms, .* held up for \d+ ms at most/);
  assertMatch(text, /switchyard look-up: \d+ ns/);
  assertMatch(text, /haproxy start with the map: \d+ ms|haproxy: ignored/);
});
