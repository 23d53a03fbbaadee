import { parseTarget, poolProblem } from "../../../lib/route/redis/value.ts";
import { assertEquals } from "../../assert.ts";

Deno.test("a value is an address or the name of a pool", () => {
  assertEquals(parseTarget("n1.example.com:7777"), { host: "n1.example.com", port: 7777 });
  assertEquals(parseTarget("[::1]:7777"), { host: "::1", port: 7777 });
  assertEquals(parseTarget("eu-1"), { pool: "eu-1" });
});

for (const value of ["", "a:0", "a:65536", "a:b", ":7", "a b", "é", "a:1:2", "x".repeat(300)]) {
  Deno.test(`${JSON.stringify(value)} is no target`, () => assertEquals(parseTarget(value), undefined));
}

Deno.test("a pool that does not exist is quoted", () => {
  const pools = new Map([["eu", 1]]);
  assertEquals(poolProblem({ pool: "eu" }, pools), undefined);
  assertEquals(poolProblem({}, pools), undefined);
  assertEquals(
    poolProblem({ pool: "us" }, pools),
    'found "us", which is neither a pool of this configuration nor host:port',
  );
});
