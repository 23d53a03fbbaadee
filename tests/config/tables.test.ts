import { BackgroundLoader, loadConfig } from "../../lib/config/load.ts";
import { UsageError } from "../../lib/errors.ts";
import { RouteTable } from "../../lib/route/table.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "../assert.ts";
import { run } from "../cli/command.ts";
import { named } from "../clients.ts";
import { count, LISTENERS, said, serve } from "../serving.ts";
import { loadInBackground } from "../tables.ts";
import { startNamed } from "../upstreams.ts";

/** A folder with a configuration and the files of its tables. */
async function folderWith(yaml: string, tables: Readonly<Record<string, string>>) {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/routes.yaml`;
  await Deno.writeTextFile(file, yaml);
  for (const [name, text] of Object.entries(tables)) await Deno.writeTextFile(`${folder}/${name}`, text);
  return { folder, file, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

const BOTH = "routes: [{ id: 7, host: a, port: 1 }]\ntables: [a.tsv, b.tsv]\n";

for (const load of [loadConfig, loadInBackground]) {
  Deno.test(`${load.name}: tables are read beside the configuration`, async () => {
    await using it = await folderWith(BOTH, { "a.tsv": "1\ta\t7\n", "b.tsv": "2\tb\t7\n" });
    const paths: string[] = [];
    const onTables = (all: readonly string[]) => void paths.push(...all);
    const { routes, tableData } = await load(it.file, { onTables });
    assertEquals(paths, [`${it.folder}/a.tsv`, `${it.folder}/b.tsv`]);
    const table = new RouteTable(routes, undefined, tableData);
    assertEquals([table.find("2")?.rule.line, table.size], [{ file: "b.tsv", line: 1 }, 3]);
  });

  Deno.test(`${load.name}: an ID that is in a table and in routes is reported with both places`, async () => {
    await using it = await folderWith(BOTH, { "a.tsv": "1\ta\t7\n7\ta\t7\n", "b.tsv": "# none\n" });
    const { problems } = await assertRejects(() => load(it.file), UsageError);
    assertEquals(problems.map((line) => line.replaceAll(it.folder, "")), [
      '/routes.yaml:1:16: routes[0].id: found "7" again, expected an ID of its own; /a.tsv:2 is the same',
    ]);
  });

  Deno.test(`${load.name}: each file that cannot be read is named`, async () => {
    await using it = await folderWith(BOTH, {});
    await Deno.mkdir(`${it.folder}/b.tsv`);
    const { problems } = await assertRejects(() => load(it.file), UsageError);
    assertEquals(problems.map((line) => line.replace(it.folder, "")), [
      "/a.tsv: there is no such file",
      "/b.tsv: is a directory, expected a file",
    ]);
  });
}

Deno.test("a table has its difference from the previous one", async () => {
  await using it = await folderWith("routes: []\ntables: [a.tsv]\n", { "a.tsv": "1\ta\t7\n2\ta\t7\n" });
  const { tableData: previous } = await loadInBackground(it.file);
  await Deno.writeTextFile(`${it.folder}/a.tsv`, "2\tb\t7\n3\ta\t7\n");
  const { tableData } = await loadInBackground(it.file, { previous });
  assertEquals(tableData?.change, { since: previous?.serial ?? "", kept: 1, changed: 1 });
});

Deno.test("one thread loads one configuration after the other, also after an invalid one; a thread that fails is replaced", async () => {
  await using it = await folderWith("routes: []\ntables: [a.tsv]\n", { "a.tsv": "1\ta\t7\n" });
  const { Worker } = globalThis;
  const started: Worker[] = [];
  globalThis.Worker = class extends Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      started.push(this);
    }
  };
  try {
    using loader = new BackgroundLoader();
    loader.start();
    assertEquals((await loader.load(it.file)).tableData?.size, 1);
    await Deno.writeTextFile(`${it.folder}/a.tsv`, "1\ta\t7\n1\ta\t7\n");
    await assertRejects(() => loader.load(it.file), UsageError);
    await Deno.writeTextFile(`${it.folder}/a.tsv`, "1\ta\t7\n2\ta\t7\n");
    await Deno.writeTextFile(it.file, "routes: [{ id: 3, host: a, port: 1 }]\ntables: [a.tsv]\n");
    const { routes, tableData } = await loader.load(it.file);
    assertEquals([routes.length, tableData?.size, started.length], [1, 2, 1]);
    started[0]?.dispatchEvent(new ErrorEvent("error", { message: "out of memory", cancelable: true }));
    assertEquals((await loader.load(it.file)).tableData?.size, 2);
    assertEquals(started.length, 2);
  } finally {
    globalThis.Worker = Worker;
  }
});

Deno.test("check, explain and routes show tables", async () => {
  await using it = await folderWith("routes: []\ntables: [a.tsv]\n", {
    "a.tsv": "Gerät\tHost\tPort\ndev-1\ta\t7\n",
  });
  const { out } = await run("check", it.file);
  assertEquals(out.filter((line) => line.startsWith("table ")), [
    'table a.tsv: 1 ID, line 1 is a header: "Gerät\\tHost\\tPort"',
  ]);
  assertEquals((await run("explain", "dev-1", "-c", it.file)).out[0], 'ID "dev-1": table a.tsv:2 -> a:7');
  assertStringIncludes((await run("explain", "dev-2", "-c", it.file)).out.join(), 'the nearest is "dev-1"');
  const { out: [rule = ""] } = await run("routes", "--json", it.file);
  assertEquals(JSON.parse(rule), { rule: "table a.tsv:2", id: "dev-1", target: "a:7", on_removal: "keep" });
});

Deno.test("tables are watched; a missing or invalid one keeps the previous, and is read once it is repaired", async () => {
  await using first = startNamed("first");
  await using last = startNamed("last");
  await using serving = await serve("", { text: `${LISTENERS}routes: []\n` });
  const table = `${serving.folder}/a.tsv`;
  await Deno.writeTextFile(serving.file, `${LISTENERS}routes: []\ntables: [a.tsv]\n`);
  await said(serving, "a.tsv: there is no such file");
  await Deno.writeTextFile(table, `1\t127.0.0.1\t${first.port}\n`);
  await said(serving, "1 route added, 0 changed");
  assertEquals(await named(serving, "1"), "first");
  await Deno.writeTextFile(table, "1\t127.0.0.1\t99999\n");
  await said(serving, 'a.tsv:1: found "99999"');
  await Deno.remove(table);
  await said(serving, "a.tsv: there is no such file", 2);
  assertEquals(await named(serving, "1"), "first");
  await Deno.writeTextFile(
    `${serving.folder}/new`,
    `1\t127.0.0.1\t${last.port}\n2\t127.0.0.1\t${last.port}\n`,
  );
  await Deno.rename(`${serving.folder}/new`, table);
  await said(serving, "1 route added, 1 changed, 0 removed");
  assertEquals([await named(serving, "1"), await named(serving, "2")], ["last", "last"]);
  assertStringIncludes(serving.balancer.stderr.text, 'route="table a.tsv:1"');
  assertEquals(count(serving, "reload failed"), 3);
  assertEquals(await serving.balancer.end(), 0);
});
