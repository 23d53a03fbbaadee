import { accessRecord } from "../../lib/observe/access_line.ts";
import { type IdPrivacy, loggedId } from "../../lib/observe/id_privacy.ts";
import { Log } from "../../lib/observe/log.ts";
import { quote } from "../../lib/util/text.ts";
import { assert, assertEquals } from "../assert.ts";
import { refused } from "../clients.ts";
import { configTo, startBalancer } from "../fixture.ts";
import { until } from "../wait.ts";
import { connectionWith } from "./connection_info.ts";

const UNKNOWN_ID = 4;

const cases: [privacy: IdPrivacy, id: string, expected: string][] = [
  ["plain", "device-7", "device-7"],
  ["hash", "1", "sha256:6b86b273ff34fce1"],
  ["truncate", "device-7", "devi…"],
  ["truncate", "abcd", "ab…"],
  ["truncate", "1", "…"],
  ["truncate", "😀😀", "😀…"],
];

for (const [privacy, id, expected] of cases) {
  Deno.test(`${privacy} logs the ID ${id} as ${expected}`, () => {
    assertEquals(loggedId(id, privacy), expected);
  });
}

for (const privacy of ["hash", "truncate"] as const) {
  Deno.test(`${privacy}: no field of an access line contains the ID`, () => {
    const id = 'secret "$&" name';
    const why = {
      reason: "UNKNOWN_ID",
      closedBy: "balancer",
      detail: `no route for ID ${JSON.stringify(id)}`,
    } as const;
    const record = accessRecord(connectionWith({ id, route: `id ${id}` }), why, privacy);
    assert(!JSON.stringify(record).includes("name"), JSON.stringify(record));
    const logged = loggedId(id, privacy);
    assertEquals([record.id, record.route, record.detail], [
      logged,
      `id ${logged}`,
      `no route for ID "${logged}"`,
    ]);
  });

  Deno.test(`${privacy}: a long ID that a message has shortened is not in the detail`, () => {
    const id = "name-".repeat(40);
    const why = {
      reason: "UPSTREAM_UNAVAILABLE",
      closedBy: "balancer",
      detail: `redis: the value of ID ${quote(id)} is "x"`,
    } as const;
    const { detail } = accessRecord(connectionWith({ id }), why, privacy);
    assertEquals(detail, `redis: the value of ID "${loggedId(id, privacy)}" is "x"`);
  });

  Deno.test(`${privacy}: a rule of Redis, and a glob without a wildcard, have the ID as it is logged`, () => {
    const why = { reason: "client_fin", closedBy: "client" } as const;
    for (const kind of ["id", "redis", "match"]) {
      const record = accessRecord(connectionWith({ id: "name 7", route: `${kind} name 7` }), why, privacy);
      assertEquals(record.route, `${kind} ${loggedId("name 7", privacy)}`);
    }
    const { route } = accessRecord(connectionWith({ id: "1", route: "table ids.tsv:1" }), why, privacy);
    assertEquals(route, "table ids.tsv:1");
  });

  Deno.test(`${privacy}: the rule of a glob, and a connection without an ID, are logged as they are`, () => {
    const why = { reason: "client_fin", closedBy: "client" } as const;
    assertEquals(accessRecord(connectionWith({ route: "match eu-*" }), why, privacy).route, "match eu-*");
    assertEquals(accessRecord(connectionWith({ id: undefined }), why, privacy).id, null);
  });
}

Deno.test("a balancer logs IDs as configured, also after a reload", async () => {
  let text = "";
  const write = (bytes: Uint8Array) => {
    text += new TextDecoder().decode(bytes);
    return Promise.resolve(bytes.length);
  };
  await using _log = Log.start({ level: "info", format: "json" }, { write });
  const config = configTo(9);
  await using balanced = startBalancer(config);
  for (const id_privacy of ["hash", "truncate"] as const) {
    await balanced.balancer.reload({ ...config, log: { ...config.log, id_privacy } });
    const client = await balanced.connect();
    assertEquals(await refused(client, "device-7"), UNKNOWN_ID);
    client.close();
    await until(() => text.includes(loggedId("device-7", id_privacy)), `the ID is logged by ${id_privacy}`);
  }
  assert(!text.includes("device-7"), text);
});
