import type { RouteConfig } from "../../lib/config/config.ts";
import { difference } from "../../lib/route/diff.ts";
import { RouteTable } from "../../lib/route/table.ts";
import { assert, assertEquals } from "../assert.ts";
import { tableOf } from "../tables.ts";

const A: RouteConfig = { id: "a", host: "a.example.com", port: 1 };
const POOLED: RouteConfig = { id: "a", pool: "eu" };
const TLS = { ...A, tls: { ca: "ca.pem", server_name: "a" } };
const HELD = { ...A, hold: { for: 1000, clients: 10 } };

const SAME: readonly RouteConfig[] = [A, POOLED, TLS, HELD, { ...A, tls: true }, {
  ...A,
  on_removal: "drain",
}];

for (const route of SAME) {
  Deno.test(`${JSON.stringify(route)} and an equal route are no difference`, async () => {
    const tables = [new RouteTable([route]), new RouteTable([structuredClone(route)])] as const;
    assertEquals(await difference(...tables), { added: 0, changed: 0, removed: 0 });
  });
}

const CHANGED: readonly [before: RouteConfig, after: RouteConfig][] = [
  [A, { ...A, host: "b.example.com" }],
  [A, { ...A, port: 2 }],
  [A, POOLED],
  [POOLED, { ...POOLED, pool: "us" }],
  [A, { ...A, tls: true }],
  [TLS, { ...TLS, tls: { ...TLS.tls, ca: "other.pem" } }],
  [TLS, { ...TLS, tls: { ...TLS.tls, server_name: "b" } }],
  [TLS, { ...TLS, tls: { ...TLS.tls, cert: "cert.pem", key: "key.pem" } }],
  [A, HELD],
  [HELD, { ...HELD, hold: { ...HELD.hold, for: 2000 } }],
  [HELD, { ...HELD, hold: { ...HELD.hold, clients: 11 } }],
  [HELD, { ...HELD, hold: { ...HELD.hold, wake: "http://wake.example.com/" } }],
  [A, { ...A, on_removal: "close" }],
];

for (const [before, after] of CHANGED) {
  Deno.test(`${JSON.stringify(before)} to ${JSON.stringify(after)} is a change`, async () => {
    const change = { added: 0, changed: 1, removed: 0 };
    assertEquals(await difference(new RouteTable([before]), new RouteTable([after])), change);
    assertEquals(await difference(new RouteTable([after]), new RouteTable([before])), change);
  });
}

Deno.test("rules are distinguished by kind and text; the default is one of them", async () => {
  const upstream = { host: "a.example.com", port: 1 };
  const before = new RouteTable([A, { id: "b*", ...upstream }], upstream);
  const after = new RouteTable([A, { match: "b*", ...upstream }, { id: "c", ...upstream }]);
  assertEquals(await difference(before, after), { added: 2, changed: 0, removed: 2 });
});

const eu = { id: "x", pool: "eu" };

for (
  const [name, before, after, expected] of [
    ["IDs of a table are added, changed and removed", ["1\teu\n2\ta\t1\n3\ta\t1\n", []], [
      "2\tb\t1\n3\ta\t1\n4\ta\t1\n5\ta\t1\n",
      [],
    ], { added: 2, changed: 1, removed: 1 }],
    ["an ID moves into a table", ["1\teu\n", [eu]], ["1\teu\nx\teu\n", []], {
      added: 0,
      changed: 0,
      removed: 0,
    }],
    ["an ID moves out of a table, elsewhere", ["1\teu\nx\ta\t1\n", []], ["1\teu\n", [eu]], {
      added: 0,
      changed: 1,
      removed: 0,
    }],
    ["an ID of a table is overridden", ["1\teu\nx\ta\t1\n", []], ["1\teu\nx\ta\t2\n", [eu]], {
      added: 0,
      changed: 1,
      removed: 0,
    }],
    ["an overridden ID of a table changes", ["x\ta\t1\n", [eu]], ["x\ta\t2\n", [eu]], {
      added: 0,
      changed: 0,
      removed: 0,
    }],
  ] as const
) {
  Deno.test(`tables: ${name}`, async () => {
    const [one, other] = [before, after].map(([text, routes]) =>
      new RouteTable(routes, undefined, tableOf(text).data)
    );
    assert(one && other);
    assertEquals(await difference(one, other), expected);
    assertEquals(await difference(other, one), {
      ...expected,
      added: expected.removed,
      removed: expected.added,
    });
  });
}

Deno.test("a table that is replaced by another is removed, and an equal one is no difference", async () => {
  const { data } = tableOf("1\teu\n2\teu\n");
  const table = new RouteTable([], undefined, data);
  assertEquals(await difference(table, new RouteTable([])), { added: 0, changed: 0, removed: 2 });
  assertEquals(await difference(new RouteTable([]), table), { added: 2, changed: 0, removed: 0 });
  assertEquals(await difference(table, new RouteTable([], undefined, data)), {
    added: 0,
    changed: 0,
    removed: 0,
  });
});
