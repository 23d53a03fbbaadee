import { KeyHasher, KINDS } from "../../lib/shared/key_hash.ts";
import { assertEquals, assertNotEquals } from "../assert.ts";

const HASHER = new KeyHasher([[1, 2], [3, 4]]);

Deno.test("a text has the same hash in each thread, and a different one with another kind or secret", () => {
  const hash = HASHER.of(KINDS.id, "device-1");
  assertEquals(new KeyHasher([[1, 2], [3, 4]]).of(KINDS.id, "device-1"), hash);
  assertNotEquals(HASHER.of(KINDS.address, "device-1"), hash);
  assertNotEquals(new KeyHasher([[1, 2], [3, 5]]).of(KINDS.id, "device-1"), hash);
});

Deno.test("texts of any length and any code units have different hashes", () => {
  const texts = [
    "",
    "a",
    "aa",
    "ab",
    "ü",
    "\ud800",
    "\ufffd",
    "a".repeat(255),
    "a".repeat(256),
    "b".repeat(70_000),
  ];
  const hashes = texts.map((text) => JSON.stringify(HASHER.of(KINDS.id, text)));
  assertEquals(new Set(hashes).size, texts.length);
});

Deno.test("no hash begins with the word that marks an unused slot", () => {
  for (let at = 0; at < 1000; at++) assertNotEquals(HASHER.of(KINDS.id, `${at}`).low, 0);
});
