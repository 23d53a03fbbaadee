import { halfSipHash, randomHashKey } from "../../lib/util/half_siphash.ts";
import { assertEquals, assertNotEquals } from "../assert.ts";

Deno.test("HalfSipHash-1-3 of 0, 1, 2 … bytes equals the Linux kernel's test vectors", () => {
  const bytes = Uint8Array.from({ length: 12 }, (_, index) => index);
  const hashes = Array.from(bytes, (_, end) => halfSipHash(bytes, 0, end, [0x03020100, 0x07060504]));
  assertEquals(hashes, [
    0x5814c896,
    0xe7e864ca,
    0xbc4b0e30,
    0x01539939,
    0x7e059ea6,
    0x88e3d89b,
    0xa0080b65,
    0x9d38d9d6,
    0x577999b1,
    0xc839caed,
    0xe4fa32cf,
    0x959246ee,
  ]);
});

Deno.test("the hash covers only the given part, and depends on the key", () => {
  const bytes = new TextEncoder().encode("before 0123456789 behind");
  const part = bytes.slice(7, 17);
  assertEquals(halfSipHash(bytes, 7, 17, [1, 2]), halfSipHash(part, 0, part.length, [1, 2]));
  assertNotEquals(halfSipHash(part, 0, 10, [1, 2]), halfSipHash(part, 0, 10, [1, 3]));
  assertNotEquals(randomHashKey(), randomHashKey());
});
