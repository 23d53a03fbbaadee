import { BUFFER_BYTES, ReadBuffer } from "../../lib/util/buffer_pool.ts";
import { assert, assertEquals } from "../assert.ts";

const [KIB_1, KIB_4, KIB_16, KIB_64, KIB_256] = BUFFER_BYTES;

/** The size of a buffer after so many reads that fill it. */
function sizesWhileFull(buffer: ReadBuffer, reads: number): number[] {
  const sizes = [];
  for (let read = 0; read < reads; read++) {
    buffer.resize(buffer.bytes.length);
    sizes.push(buffer.bytes.length);
  }
  return sizes;
}

Deno.test("a buffer starts at 4 KiB and grows to 256 KiB while reads fill it", () => {
  const buffer = new ReadBuffer();
  assertEquals(buffer.bytes.length, KIB_4);
  assertEquals(sizesWhileFull(buffer, 4), [KIB_16, KIB_64, KIB_256, KIB_256]);
});

Deno.test("a short read takes a buffer of any size back to 4 KiB", () => {
  for (let reads = 0; reads < 4; reads++) {
    const buffer = new ReadBuffer();
    sizesWhileFull(buffer, reads);
    buffer.resize(buffer.bytes.length - 1);
    assertEquals(buffer.bytes.length, KIB_4);
  }
});

Deno.test("a stream waits with 1 KiB after little data, and with 4 KiB after more", () => {
  const buffer = new ReadBuffer();
  buffer.resize(KIB_1);
  assertEquals(buffer.bytes.length, KIB_1);
  // a message of 1,500 bytes: one read fills 1 KiB, the next finds the rest
  buffer.resize(KIB_1);
  buffer.resize(1500 - KIB_1);
  assertEquals(buffer.bytes.length, KIB_4);
  buffer.resize(1500);
  assertEquals(buffer.bytes.length, KIB_4);
  buffer.resize(64);
  assertEquals(buffer.bytes.length, KIB_1);
});

Deno.test("the next burst starts with the buffer size that the last one needed", () => {
  const buffer = new ReadBuffer();
  sizesWhileFull(buffer, 3);
  buffer.resize(KIB_64);
  assertEquals(sizesWhileFull(buffer, 1), [KIB_64]);
});

Deno.test("a released buffer is used again", () => {
  const buffer = new ReadBuffer();
  const { bytes } = buffer;
  buffer.release();
  assert(new ReadBuffer().bytes === bytes);
});

Deno.test("the bytes of a read are at the start of its buffer", () => {
  for (const counts of [[5, 5, 7], [KIB_4, KIB_16, 9]]) {
    const buffer = new ReadBuffer();
    for (const count of counts) {
      const { bytes } = buffer;
      const filled = buffer.filled(count);
      assertEquals([filled.buffer, filled.byteOffset, filled.length], [bytes.buffer, 0, count]);
      buffer.resize(count);
    }
  }
});
