import project from "../../deno.json" with { type: "json" };
import { assertEquals, assertMatch } from "../assert.ts";
import { run } from "./command.ts";

Deno.test("version is one line", async () => {
  const { status, out } = await run("version");
  assertEquals([status, out], [0, [`switchyard ${project.version} (deno ${Deno.version.deno})`]]);
});

Deno.test("version --verbose lists the platform and each package of the executable once, none of the tests", async () => {
  const { out } = await run("version", "--verbose");
  const rows = out.slice(1).map((line) => line.trim().split(/ +/));
  const names = rows.map(([name]) => name);
  assertEquals(new Set(names).size, names.length);
  assertEquals(names.slice(0, 3), ["target", "deno", "v8"]);
  for (const name of ["@logtape/logtape", "deno-std", "valibot"]) {
    assertEquals(names.includes(name), true, name);
  }
  assertEquals(names.includes("fast-check"), false);
  for (const [, version] of rows.slice(3)) assertMatch(version ?? "", /^\d+\.\d+\.\d+$/);
});
