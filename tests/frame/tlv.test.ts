import * as tlv from "../../lib/frame/tlv.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

/** The problem with which `run` throws. */
function problemOf(run: () => unknown): string {
  return assertThrows(run, tlv.FrameError).problem;
}

/** A decoder of values of at most 10 bytes that has received `bytes`. */
function decoderOf(...bytes: number[]): tlv.FrameDecoder {
  const decoder = new tlv.FrameDecoder({ maxValueBytes: 10 });
  decoder.push(Uint8Array.from(bytes));
  return decoder;
}

Deno.test("a frame is type, length as u32 big-endian, value", () => {
  assertEquals([...tlv.encodeFrame(2, Uint8Array.of(7, 8))], [2, 0, 0, 0, 2, 7, 8]);
  assertEquals([...tlv.encodeFrame(2, new Uint8Array(0x01_02_03)).subarray(0, 5)], [2, 0, 1, 2, 3]);
  assertEquals([...tlv.encodeId("é")], [1, 0, 0, 0, 2, 0xc3, 0xa9]);
});

Deno.test("an ERROR frame has a code, u16 big-endian, and a text", () => {
  const bytes = tlv.encodeError(0x0102, "why");
  assertEquals([...bytes], [3, 0, 0, 0, 5, 1, 2, ...utf8("why")]);
  assertEquals(tlv.decodeError(bytes.subarray(5)), { code: 0x0102, text: "why" });
  assertEquals(problemOf(() => tlv.decodeError(Uint8Array.of(1))), "bad_error");
});

Deno.test("a header is read once its 5 bytes are there", () => {
  assertEquals(tlv.readHeader(Uint8Array.of(1, 0, 0, 1)), undefined);
  assertEquals(tlv.readHeader(Uint8Array.of(1, 255, 255, 255, 255)), { type: 1, length: 2 ** 32 - 1 });
});

for (const id of ["1", "__proto__", "\u2028", "😀", "a b", "\ufeffbom"]) {
  Deno.test(`${JSON.stringify(id)} is an ID`, () => {
    assertEquals(tlv.decodeId(utf8(id)), id);
  });
}

const NO_IDS: readonly [what: string, value: Uint8Array][] = [
  ["nothing", new Uint8Array()],
  ["a newline", utf8("a\n")],
  ["NUL", utf8("\0")],
  ["DEL", utf8("\x7f")],
  ["a C1 control character", utf8("\x85")],
  ["bytes that are not UTF-8", Uint8Array.of(0xc3, 0x28)],
  ["a surrogate", Uint8Array.of(0xed, 0xa0, 0x80)],
];

for (const [what, value] of NO_IDS) {
  Deno.test(`${what}: no ID`, () => {
    assertEquals(problemOf(() => tlv.decodeId(value)), "bad_id");
  });
}

Deno.test("a decoder returns each frame and keeps the beginning of the next", () => {
  const decoder = decoderOf(2, 0, 0, 0, 1, 7, 3, 0, 0, 0, 0, 1, 0);
  assertEquals(decoder.next(), { type: 2, value: Uint8Array.of(7) });
  assertEquals(decoder.next(), { type: 3, value: new Uint8Array() });
  assertEquals(decoder.next(), undefined);
  assertEquals([...decoder.pending], [1, 0]);
  decoder.push(Uint8Array.of(0, 0, 1, 9));
  assertEquals([...decoder.buffered], [1, 0, 0, 0, 1, 9]);
  assertEquals(decoder.next(), { type: 1, value: Uint8Array.of(9) });
});

Deno.test("an unknown type is refused at its first byte, a length over the cap at its header, each time", () => {
  for (const type of [0, 4, 255]) assertEquals(problemOf(() => decoderOf(type).next()), "unknown_type");
  const long = decoderOf(1, 0, 0, 0, 11);
  for (const _ of [1, 2]) assertEquals(problemOf(() => long.next()), "too_long");
  assert(decoderOf(1, 0, 0, 0, 10).next() === undefined, "10 are allowed");
});
