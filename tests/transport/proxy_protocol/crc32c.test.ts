import { crc32c } from "../../../lib/transport/proxy_protocol/crc32c.ts";
import { assertEquals } from "../../assert.ts";

/** RFC 3720, appendix B.4, and the check value of the Castagnoli polynomial. */
const VECTORS: readonly [what: string, bytes: Uint8Array, sum: number][] = [
  ["32 bytes of zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["32 bytes that ascend", Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
  ["32 bytes that descend", Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113fdb5c],
  ["123456789", new TextEncoder().encode("123456789"), 0xe3069283],
  ["nothing", new Uint8Array(), 0],
];

for (const [what, bytes, sum] of VECTORS) {
  Deno.test(`the CRC-32C of ${what} is 0x${sum.toString(16)}`, () => {
    assertEquals(crc32c(bytes), sum);
  });
}
