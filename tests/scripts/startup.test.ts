import { startupTime } from "../../scripts/startup.ts";
import { median } from "../../scripts/statistics.ts";
import { assertEquals, assertRejects } from "../assert.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

Deno.test("the time from start to listening is measured, and the program is ended", async () => {
  const command = [Deno.execPath(), "run", "--allow-net", "--allow-read", "--no-prompt", MAIN];
  assertEquals(await startupTime(command) > 0, true);
});

Deno.test("a program that cannot be started causes an error", async () => {
  await assertRejects(() => startupTime(["/nonexistent/switchyard"]), Deno.errors.NotFound);
});

Deno.test("the median is the middle one in any order", () => {
  assertEquals([[3, 1, 2], [5, 1, 2, 9], []].map(median), [2, 5, NaN]);
});
