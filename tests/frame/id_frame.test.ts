import { Refusal } from "../../lib/errors.ts";
import { readIdFrame } from "../../lib/frame/id_frame.ts";
import { encodeFrame, encodeId } from "../../lib/frame/tlv.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import { concat } from "../bytes.ts";
import { sourceOf } from "./sources.ts";

const ID = encodeId("abc");
const RESET = new Deno.errors.ConnectionReset("reset");

Deno.test("an ID frame is returned with all received bytes, at any cut", async () => {
  const surplus = Uint8Array.of(1, 2, 3);
  for (let cut = 1; cut < ID.length; cut++) {
    const source = sourceOf([ID.subarray(0, cut), concat(ID.subarray(cut), surplus), ID]);
    const { id, bytes, frameBytes } = await readIdFrame(source, { idBytes: 255 }) ?? {};
    assertEquals([id, [...bytes ?? []], frameBytes], ["abc", [...ID, ...surplus], ID.length]);
  }
});

Deno.test("bytes that were already read come first", async () => {
  const found = await readIdFrame(sourceOf([ID.subarray(1)]), { idBytes: 255, opening: ID.subarray(0, 1) });
  assertEquals(found?.id, "abc");
});

Deno.test("a peer that disconnects without a byte is a probe", async () => {
  assertEquals(await readIdFrame(sourceOf([]), { idBytes: 255 }), null);
  assertEquals(await readIdFrame(sourceOf([], RESET), { idBytes: 255 }), null);
});

const REFUSED: readonly [what: string, bytes: Uint8Array, name: string, text: string][] = [
  ["an unknown type", Uint8Array.of(9), "BAD_FRAME", "unknown frame type 0x09"],
  ["no ID", encodeFrame(1, new Uint8Array()), "BAD_FRAME", "the ID is empty"],
  [
    "an ID over the cap",
    encodeFrame(1, new Uint8Array(256)).subarray(0, 5),
    "BAD_FRAME",
    "256 bytes, over the maximum of 255",
  ],
  ["half an ID frame", ID.subarray(0, 6), "BAD_FRAME", "ended inside the ID frame, after 6 bytes"],
  ["DATA", encodeFrame(2, new Uint8Array(4)), "ID_EXPECTED", "not DATA (type 2)"],
  [
    "DATA over the cap",
    encodeFrame(2, new Uint8Array(256)).subarray(0, 5),
    "ID_EXPECTED",
    "not DATA (type 2)",
  ],
  ["ERROR", encodeFrame(3, new Uint8Array(4)), "ID_EXPECTED", "not ERROR (type 3)"],
  ["a ClientHello", Uint8Array.of(0x16, 3, 1, 2, 0, 1), "BAD_FRAME", "it looks like TLS"],
  ["a PROXY header", new TextEncoder().encode("PROXY TCP4 "), "BAD_FRAME", "it looks like a PROXY header"],
];

for (const [what, bytes, name, text] of REFUSED) {
  Deno.test(`${what}: ${name}`, async () => {
    const read = () => readIdFrame(sourceOf([bytes]), { idBytes: 255 });
    assertEquals((await assertRejects(read, Refusal, text)).reason, name);
  });
}

Deno.test("a reset inside the frame is thrown unchanged", async () => {
  const read = () => readIdFrame(sourceOf([ID.subarray(0, 6)], RESET), { idBytes: 255 });
  await assertRejects(read, Deno.errors.ConnectionReset);
});
