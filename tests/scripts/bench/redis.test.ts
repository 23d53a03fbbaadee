import { assertMatch } from "@std/assert";
import { hasRedis } from "../../redis.ts";
import { SOAK } from "../../soak.ts";

Deno.test({
  name: "scripts/bench/redis.ts prints connections and changes",
  ignore: !hasRedis || !SOAK,
  async fn() {
    const script = new URL("../../../scripts/bench/redis.ts", import.meta.url);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--allow-all", "--no-prompt", script.href, "100", "0.2", "1"],
    }).output();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    for (const name of ["a glob", "a table", "Redis, cached", "Redis, 100 changes a second"]) {
      assertMatch(text, new RegExp(`^${name}: \\d+ connections/s, .* 0 errors$`, "m"));
    }
    assertMatch(text, /^a change, until used by three instances: median [\d.]+ ms/m);
  },
});
