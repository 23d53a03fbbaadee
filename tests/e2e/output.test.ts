import { assertEquals } from "../assert.ts";
import { commandLine } from "./processes.ts";

Deno.test("a command whose output is closed ends without a message", async () => {
  const [program = "", ...args] = commandLine(["schema"]);
  const child = new Deno.Command(program, { args, stdout: "piped", stderr: "piped" }).spawn();
  await child.stdout.cancel();
  const said = await new Response(child.stderr).text();
  assertEquals([(await child.status).code, said], [1, ""]);
});
