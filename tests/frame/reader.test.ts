import { FrameReader } from "../../lib/frame/reader.ts";
import { encodeFrame, FrameError } from "../../lib/frame/tlv.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import { concat } from "../bytes.ts";
import { sourceOf } from "./sources.ts";

const FIRST = encodeFrame(2, Uint8Array.of(7));
const SECOND = encodeFrame(2, Uint8Array.of(8, 9));

Deno.test("frames are read one after another, until the source ends", async () => {
  const reader = new FrameReader(sourceOf([FIRST, SECOND]), { maxValueBytes: 10 });
  const values: number[][] = [];
  for await (const { value } of reader) values.push([...value]);
  assertEquals(values, [[7], [8, 9]]);
});

Deno.test("a reader that stops early has the remaining bytes in rest", async () => {
  const source = sourceOf([concat(FIRST, SECOND.subarray(0, 3))]);
  const reader = new FrameReader(source, { maxValueBytes: 10 });
  for await (const _ of reader) break;
  assertEquals([...reader.rest], [...SECOND.subarray(0, 3)]);
  assertEquals([...reader.buffered], [...FIRST, ...SECOND.subarray(0, 3)]);
});

Deno.test("bytes received before come first", async () => {
  const reader = new FrameReader(sourceOf([FIRST.subarray(2)]), {
    maxValueBytes: 10,
    opening: FIRST.subarray(0, 2),
  });
  assertEquals((await reader.next()).value?.value, Uint8Array.of(7));
});

Deno.test("invalid frames, and errors of the source, are thrown", async () => {
  const malformed = new FrameReader(sourceOf([Uint8Array.of(9)]), { maxValueBytes: 10 });
  await assertRejects(() => malformed.next(), FrameError, "0x09");
  const failing = new FrameReader(sourceOf([], new Error("broken")), { maxValueBytes: 10 });
  await assertRejects(() => failing.next(), Error, "broken");
});
