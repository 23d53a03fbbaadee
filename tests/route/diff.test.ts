import type { RouteConfig } from "../../lib/config/config.ts";
import { difference } from "../../lib/route/diff.ts";
import { RouteTable } from "../../lib/route/table.ts";
import { assertEquals } from "../assert.ts";

const A: RouteConfig = { id: "a", host: "a.example.com", port: 1 };
const POOLED: RouteConfig = { id: "a", pool: "eu" };
const TLS = { ...A, tls: { ca: "ca.pem", server_name: "a" } };
const HELD = { ...A, hold: { for: 1000, clients: 10 } };

const SAME: readonly RouteConfig[] = [A, POOLED, TLS, HELD, { ...A, tls: true }, {
  ...A,
  on_removal: "drain",
}];

for (const route of SAME) {
  Deno.test(`${JSON.stringify(route)} and the same again are no difference`, async () => {
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

Deno.test("rules are told apart by kind and text; the default is one of them", async () => {
  const upstream = { host: "a.example.com", port: 1 };
  const before = new RouteTable([A, { id: "b*", ...upstream }], upstream);
  const after = new RouteTable([A, { match: "b*", ...upstream }, { id: "c", ...upstream }]);
  assertEquals(await difference(before, after), { added: 2, changed: 0, removed: 2 });
});
