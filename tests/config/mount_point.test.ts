import { mountProblem } from "../../lib/config/mount_point.ts";
import { assertEquals, assertMatch } from "../assert.ts";

/** A file system with devices by path. */
const fileSystem = (
  devices: Readonly<Record<string, number>>,
  links: Readonly<Record<string, string>> = {},
) => ({
  stat: (path: string) => {
    const dev = devices[path];
    return dev === undefined ? Promise.reject(new Deno.errors.NotFound(path)) : Promise.resolve({ dev });
  },
  realPath: (path: string) => Promise.resolve(links[path] ?? path),
});

Deno.test("a file on another device than its folder is a mount of its own", async () => {
  const fs = fileSystem({ "/etc/switchyard": 1, "/etc/switchyard/routes.yaml": 2 });
  const problem = await mountProblem("/etc/switchyard/routes.yaml", fs);
  assertMatch(
    problem ?? "",
    /^\/etc\/switchyard\/routes\.yaml is mounted by itself, .*: mount its folder instead$/,
  );
});

Deno.test("a link is followed: its target counts, with the folder of that", async () => {
  const fs = fileSystem(
    { "/etc/switchyard": 1, "/data": 2, "/data/routes.yaml": 2 },
    { "/etc/switchyard/routes.yaml": "/data/routes.yaml" },
  );
  assertEquals(await mountProblem("/etc/switchyard/routes.yaml", fs), undefined);
});

Deno.test("an ordinary or a missing file causes no warning", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/routes.yaml`, "");
  assertEquals(await mountProblem(`${folder}/routes.yaml`), undefined);
  assertEquals(await mountProblem(`${folder}/missing.yaml`), undefined);
  await Deno.remove(folder, { recursive: true });
});
