import fc from "fast-check";
import { TextBuffer } from "../../lib/observe/text_buffer.ts";
import { assert, assertEquals } from "../assert.ts";

const decoder = new TextDecoder();

/** What `add` adds to a buffer that has text already. */
function added(add: (text: TextBuffer) => void): string {
  const text = new TextBuffer();
  add(text.add("before "));
  return decoder.decode(text.take()).slice("before ".length);
}

Deno.test("a number is added as String converts it, of any size and sign", () => {
  const edges = [
    -0,
    9,
    10,
    99,
    100,
    999_999_999,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 53,
    -1,
    -2.5,
    1e21,
    NaN,
    Infinity,
  ];
  for (const number of edges) {
    assertEquals(added((text) => text.addInteger(number)), String(number));
    assertEquals(added((text) => text.addThousandths(number)), String(number));
  }
  fc.assert(fc.property(fc.maxSafeNat(), (number) => {
    assertEquals(added((text) => text.addInteger(number)), String(number));
  }));
});

Deno.test("a number of thousandths has as many decimals as it needs", () => {
  const numbers = fc.oneof(fc.nat(9999), fc.nat(), fc.maxSafeNat()).map((thousandths) => thousandths / 1000);
  fc.assert(fc.property(numbers, (number) => {
    assertEquals(added((text) => text.addThousandths(number)), String(number));
  }));
});

Deno.test("text of any characters and length is added after the text before it", () => {
  const texts = fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("é".repeat(50_000), "")));
  fc.assert(fc.property(texts, (texts) => {
    const text = added((text) => texts.forEach((one) => text.add(one)));
    assertEquals(text, texts.join("").toWellFormed());
  }));
});

Deno.test("memory is used again once it is no longer needed, and not before", () => {
  const text = new TextBuffer();
  const first = text.add("first").take();
  const second = text.add("second").take();
  assertEquals([first, second].map((bytes) => decoder.decode(bytes)), ["first", "second"]);
  text.reuse(first);
  assertEquals([text.length, text.add("third").take().buffer === first.buffer], [0, true]);
  assert(text.add("fourth").take().buffer !== first.buffer);
});

Deno.test("bytes are added as they are, between text", () => {
  const bytes = new TextEncoder().encode("é".repeat(100_000));
  assertEquals(added((text) => text.add("<").addBytes(bytes).add(">")), `<${"é".repeat(100_000)}>`);
});
