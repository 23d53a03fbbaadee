import { MapCounts } from "../../lib/admission/counts.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("a key is counted up to its limit, and each release makes room for one", () => {
  const counts = new MapCounts();
  assert(counts.tryAdd("a", 2));
  assert(counts.tryAdd("a", 2));
  assert(!counts.tryAdd("a", 2));
  assertEquals(counts.get("a"), 2);
  counts.release("a");
  assert(counts.tryAdd("a", 2));
});

Deno.test("a limit of 0 means no limit, and keys such as __proto__ are plain", () => {
  const counts = new MapCounts();
  for (let index = 0; index < 1000; index++) assert(counts.tryAdd("__proto__", 0));
  assertEquals([counts.get("__proto__"), counts.get("constructor")], [1000, 0]);
});

Deno.test("a claim adds to its key and ranks above those before", () => {
  const counts = new MapCounts();
  assert(counts.claim("a") < counts.claim("b"));
  assert(counts.claim("b") < counts.claim("a"));
  assertEquals([counts.get("a"), counts.get("b")], [2, 2]);
});
