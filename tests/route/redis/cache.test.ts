import { BoundedCache } from "../../../lib/route/redis/cache.ts";
import { assert, assertEquals } from "../../assert.ts";

function fill(cache: BoundedCache<number>, from: number, to: number): void {
  for (let key = from; key < to; key++) cache.set(`${key}`, key);
}

Deno.test("a cache never exceeds its size, and keeps the latest half", () => {
  const cache = new BoundedCache<number>(100);
  for (let key = 0; key < 1000; key++) {
    cache.set(`${key}`, key);
    assert(cache.size <= 100, `${cache.size}`);
  }
  for (let key = 951; key < 1000; key++) assertEquals(cache.get(`${key}`), key);
  assertEquals(cache.get("0"), undefined);
});

Deno.test("entries that are looked up are kept", () => {
  const cache = new BoundedCache<number>(10);
  for (let key = 0; key < 1000; key++) {
    cache.set(`${key}`, key);
    assertEquals(cache.get("0"), 0);
  }
});

Deno.test("a key has one value, until it is deleted", () => {
  const cache = new BoundedCache<number>(4);
  fill(cache, 0, 2);
  cache.set("0", 7);
  assertEquals([cache.get("0"), cache.size], [7, 2]);
  cache.delete("0");
  cache.delete("1");
  assertEquals([cache.get("0"), cache.get("1"), cache.size], [undefined, undefined, 0]);
});

Deno.test("a cache that was made smaller drops the excess", () => {
  const cache = new BoundedCache<number>(100);
  fill(cache, 0, 90);
  cache.resize(10);
  fill(cache, 100, 120);
  assert(cache.size <= 10, `${cache.size}`);
});
