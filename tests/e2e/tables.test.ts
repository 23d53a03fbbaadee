/** Tables from their files to relayed bytes: routing, reloading, the admin API. */

import { loadInBackground } from "../tables.ts";
import { encodeId } from "../../lib/frame/tlv.ts";
import { administer } from "../admin/administered.ts";
import { assertEquals } from "../assert.ts";
import { receive, receiveAll, send } from "../bytes.ts";
import { named, refused } from "../clients.ts";
import { startBalancer } from "../fixture.ts";
import { count, LISTENERS, said, serve } from "../serving.ts";
import { startEcho, startNamed } from "../upstreams.ts";

const UNKNOWN_ID = 4;

/** A folder for a configuration and its tables. */
async function configured() {
  const folder = await Deno.makeTempDir();
  return {
    folder,
    /** Writes the files, and loads the configuration. */
    async load(files: Readonly<Record<string, string>>, { engine }: Partial<Running> = {}) {
      for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${folder}/${name}`, text);
      return await loadInBackground(`${folder}/routes.yaml`, { previous: engine?.config.tableData });
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

type Running = ReturnType<typeof startBalancer>["balancer"];

Deno.test("IDs of tables reach their host or pool, after routes and before globs", async () => {
  await using host = startNamed("host");
  await using pool = startNamed("pool");
  await using glob = startNamed("glob");
  await using place = await configured();
  const to = ({ port }: { port: number }) => `host: 127.0.0.1, port: ${port}`;
  await using balancer = startBalancer(
    await place.load({
      "routes.yaml": `${LISTENERS}tables: [a.tsv, b.tsv]\npools: { eu: { servers: [{ ${to(pool)} }] } }\n` +
        `routes: [{ match: "dev-*", ${to(glob)} }, { id: dev-0, ${to(glob)} }]\n`,
      "a.tsv": `ID\thost\tport\r\ndev-1\t127.0.0.1\t${host.port}\r\nпристрій\teu\r\n`,
      "b.tsv": "dev-2\teu\n",
    }),
  );
  const reached = await Promise.all(
    ["dev-0", "dev-1", "пристрій", "dev-2", "dev-3"].map((id) => named(balancer, id)),
  );
  assertEquals(reached, ["glob", "host", "pool", "pool", "glob"]);
  using client = await balancer.connect();
  assertEquals(await refused(client, "Dev-1"), UNKNOWN_ID);
});

Deno.test("connections of a row that changes, moves or is removed stay open, those of a removed route do not", async () => {
  await using echo = startEcho();
  await using other = startNamed("other");
  await using place = await configured();
  const to = `host: 127.0.0.1, port: ${echo.port}, on_removal: close`;
  const row = (id: string, { port } = echo) => `${id}\t127.0.0.1\t${port}\n`;
  const yaml = (routes: string) => `${LISTENERS}tables: [a.tsv]\nroutes: [${routes}]\n`;
  const { balancer, connect } = startBalancer(
    await place.load({
      "routes.yaml": yaml(`{ id: to-table, ${to} }, { id: gone, ${to} }`),
      "a.tsv": row("removed") + row("changed") + row("to-routes"),
    }),
  );
  await using _ = balancer;
  const open = async (id: string) => {
    const client = await connect();
    await send(client, encodeId(id));
    await receive(client, encodeId(id).length);
    return client;
  };
  const ids = ["removed", "changed", "to-routes", "to-table"];
  const stay = await Promise.all(ids.map(open));
  using gone = await open("gone");
  const change = await balancer.reload(
    await place.load({
      "routes.yaml": yaml(`{ id: to-routes, ${to} }`),
      "a.tsv": row("changed", other) + row("to-table"),
    }, balancer),
  );
  // a route with another target or another on_removal has changed
  assertEquals(change, { added: 0, changed: 3, removed: 2, connections: 1 });
  assertEquals((await receiveAll(gone)).length, 0);
  for (const client of stay) {
    await send(client, Uint8Array.of(5));
    assertEquals([...await receive(client, 1)], [5]);
    client.close();
  }
  assertEquals(await named({ connect }, "changed"), "other");
  using refusedClient = await connect();
  assertEquals(await refused(refusedClient, "removed"), UNKNOWN_ID);
});

Deno.test("the admin API pages and searches rows of tables, explains them and names them at connections", async () => {
  await using echo = startEcho();
  await using place = await configured();
  const rows = Array.from({ length: 2500 }, (_, index) => `dev-${index}\t127.0.0.1\t${echo.port}\n`);
  await using admin = administer(
    await place.load({
      "routes.yaml": `${LISTENERS}tables: [a.tsv]\nroutes: [{ id: first, host: a, port: 1 }]\n` +
        "default: { host: last, port: 2 }\n",
      "a.tsv": rows.join(""),
    }),
  );
  const list = async (query: string) => {
    const { routes, next, total } = await admin.json(`/api/v1/routes?${query}`);
    return { texts: routes.map(({ text }: { text: string }) => text), next, total };
  };
  assertEquals(await list("limit=2"), { texts: ["first", "dev-0"], next: 2, total: 2502 });
  assertEquals(await list("limit=2&after=2499"), {
    texts: ["dev-2498", "dev-2499"],
    next: 2501,
    total: 2502,
  });
  assertEquals(await list("after=2501"), { texts: [""], next: null, total: 2502 });
  assertEquals((await list("search=dev-24&limit=2&after=300")).texts, ["dev-2400", "dev-2401"]);
  assertEquals((await list("search=tsv:2000")).texts, ["dev-1999"]);
  assertEquals((await list("search=none")).texts, []);
  const { rules, candidates } = await admin.json("/api/v1/explain?id=dev-7");
  const target = `127.0.0.1:${echo.port}`;
  assertEquals(rules[0], { rule: "table a.tsv:8", target, verdict: "selected" });
  assertEquals(candidates[0].upstream, target);
  using _ = await admin.relayed("dev-7");
  const { connections } = await admin.json("/api/v1/connections?id=dev-7");
  assertEquals(connections[0].route, "table a.tsv:8");
  assertEquals((await admin.json("/api/v1/status")).routes, 2502);
});

Deno.test("a table in another folder, behind links that are swapped as Kubernetes does, is watched", async () => {
  await using one = startNamed("one");
  await using two = startNamed("two");
  await using serving = await serve("", { text: `${LISTENERS}routes: []\n` });
  const map = `${serving.folder}/map`;
  const version = async (name: string, text: string) => {
    await Deno.mkdir(`${map}/${name}`, { recursive: true });
    await Deno.writeTextFile(`${map}/${name}/a.tsv`, text);
    await Deno.symlink(name, `${map}/new`);
    await Deno.rename(`${map}/new`, `${map}/..data`);
  };
  await version("..1", `1\t127.0.0.1\t${one.port}\n`);
  await Deno.symlink("..data/a.tsv", `${map}/a.tsv`);
  await Deno.writeTextFile(serving.file, `${LISTENERS}routes: []\ntables: [map/a.tsv]\n`);
  await said(serving, "1 route added, 0 changed");
  assertEquals(await named(serving, "1"), "one");
  await version("..2", `1\t127.0.0.1\t${two.port}\n`);
  await said(serving, "0 routes added, 1 changed, 0 removed");
  assertEquals(await named(serving, "1"), "two");
  await version("..3", "1\t127.0.0.1\t99999\n");
  await said(serving, "reload failed");
  assertEquals(await named(serving, "1"), "two");
  assertEquals(count(serving, "reloaded "), 2);
});
