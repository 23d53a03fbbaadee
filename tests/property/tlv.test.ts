import fc from "fast-check";
import { encodeFrame, type Frame, FrameDecoder, FrameError } from "../../lib/frame/tlv.ts";
import { assert, assertEquals } from "../assert.ts";
import { concat } from "../bytes.ts";

const CAP = 40;

/** Every frame, or the error that ended the stream, and the remaining bytes. */
function decode(chunks: Uint8Array[]): { frames: unknown[]; problem?: string; pending: number } {
  const decoder = new FrameDecoder({ maxValueBytes: CAP });
  const frames: unknown[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    try {
      for (let frame: Frame | undefined; (frame = decoder.next());) {
        frames.push([frame.type, [...frame.value]]);
      }
    } catch (error) {
      assert(error instanceof FrameError);
      return { frames, problem: error.problem, pending: 0 };
    }
    assert(decoder.pending.length < 5 + CAP, "no more than one unfinished frame is held");
  }
  return { frames, pending: decoder.pending.length };
}

/** `bytes` cut at `cuts`. */
function cutAt(bytes: Uint8Array, cuts: number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.slice(places[index], end));
}

const frame = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.uint8Array({ maxLength: CAP }));

Deno.test("frames are decoded as they were encoded, under any chunking", () => {
  fc.assert(fc.property(fc.array(frame), fc.array(fc.nat()), (frames, cuts) => {
    const bytes = concat(...frames.map(([type, value]) => encodeFrame(type, value)));
    const decoded = decode(cutAt(bytes, cuts));
    assertEquals(decoded, { frames: frames.map(([type, value]) => [type, [...value]]), pending: 0 });
  }));
});

Deno.test("any bytes give the same result under any chunking, and no error but FrameError", () => {
  const header = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.constantFrom(0, 1, 40, 41, 255)).map((
    [type, length],
  ) => Uint8Array.of(type, 0, 0, 0, length));
  const input = fc.array(fc.oneof(header, fc.uint8Array({ maxLength: 50 }))).map((parts) => concat(...parts));
  fc.assert(fc.property(input, fc.array(fc.nat()), (bytes, cuts) => {
    assertEquals(decode(cutAt(bytes, cuts)), decode([bytes]));
  }));
});
