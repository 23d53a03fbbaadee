import { endOfHandshake } from "../../../lib/transport/tls/tls_opening.ts";
import { assertEquals } from "../../assert.ts";
import { concat } from "../../harness.ts";

const record = (type: number, length: number) =>
  concat(Uint8Array.of(type, 3, 3, length >> 8, length & 255), new Uint8Array(length));

Deno.test("TLS 1.3: the handshake ends with the first encrypted record, and the data follow", () => {
  const handshake = concat(record(0x14, 1), record(0x17, 53));
  assertEquals(endOfHandshake(concat(handshake, record(0x17, 28), record(0x17, 300))), handshake.length);
  assertEquals(endOfHandshake(handshake), handshake.length);
});

Deno.test("TLS 1.2: nothing in the client's second flight is data", () => {
  const flight = concat(record(0x16, 37), record(0x14, 1), record(0x16, 40));
  assertEquals(endOfHandshake(flight), flight.length);
});

Deno.test("records that are cut, and what is no record at all, are passed on whole", () => {
  for (
    const bytes of [new Uint8Array(), record(0x17, 53).subarray(0, 20), Uint8Array.of(0x17, 3), record(1, 9)]
  ) {
    assertEquals(endOfHandshake(bytes), bytes.length);
  }
});
