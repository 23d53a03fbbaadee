import fc from "fast-check";
import { WebSocketDecoder } from "../../lib/transport/websocket/decoder.ts";
import { HEADER_BYTES, writeHeader } from "../../lib/transport/websocket/frames.ts";
import { type HandshakeResult, ServerHandshake } from "../../lib/transport/websocket/handshake.ts";
import { MAX_HEAD_BYTES } from "../../lib/transport/websocket/http_head.ts";
import { mask } from "../../lib/transport/websocket/masking.ts";
import { assert, assertEquals } from "../assert.ts";
import { concat } from "../bytes.ts";
import { decode, wire } from "../transport/websocket/wire.ts";

/** `bytes` cut at `cuts`. */
function cutAt(bytes: Uint8Array, cuts: number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.slice(places[index], end));
}

const key = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 });

const anyFrame = fc.record({
  opcode: fc.constantFrom(0, 0, 2, 2, 8, 9, 10, 1, 3),
  payload: fc.uint8Array({ maxLength: 140 }),
  fin: fc.boolean(),
  rsv: fc.constantFrom(0, 0, 0, 0, 0, 1),
  masked: fc.constantFrom(true, true, true, true, true, false),
  key,
}).map(wire);

const anyInput = fc.array(
  fc.oneof({ weight: 5, arbitrary: anyFrame }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }) }),
).map((parts) => concat(...parts));

/** Everything but the pings, of which only the latest in a piece is kept. */
const result = (chunks: Uint8Array[]) => ({ ...decode(chunks), pings: undefined });

Deno.test("any bytes give the same payload and the same end under any chunking", () => {
  fc.assert(fc.property(anyInput, fc.array(fc.nat()), (bytes, cuts) => {
    assertEquals(result(cutAt(bytes, cuts)), result([bytes]));
  }));
});

Deno.test("binary messages are decoded as they were encoded, cut into frames and pieces anywhere", () => {
  const message = fc.array(fc.tuple(fc.uint8Array({ maxLength: 300 }), key), { minLength: 1, maxLength: 5 });
  fc.assert(fc.property(fc.array(message), fc.array(fc.nat()), (messages, cuts) => {
    const frames = messages.flatMap((parts) =>
      parts.map(([payload, key], at) =>
        wire({ payload, key, opcode: at === 0 ? 2 : 0, fin: at === parts.length - 1 })
      )
    );
    const payload = messages.flatMap((parts) => parts.flatMap(([part]) => [...part]));
    const decoded = decode(cutAt(concat(...frames), cuts));
    assertEquals(decoded, { payload, pings: [], closed: undefined, fault: undefined });
  }));
});

Deno.test("masking by words equals masking byte by byte, at any offset", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(9), key, (bytes, offset, key) => {
    const [first = 0, second = 0, third = 0, fourth = 0] = key;
    const place = new Uint8Array(bytes.length + 16).subarray(offset, offset + bytes.length);
    place.set(bytes);
    const next = mask(place, first | (second << 8) | (third << 16) | (fourth << 24));
    assertEquals([...place], Array.from(bytes, (byte, at) => byte ^ (key[at % 4] ?? 0)));
    assertEquals(next & 0xff, key[bytes.length % 4], "the key goes on where it stopped");
  }));
});

Deno.test("a header is decoded to the values that were encoded", () => {
  const length = fc.oneof(
    fc.integer({ min: 5, max: 70_000 }),
    fc.maxSafeNat().map((most) => Math.max(5, most)),
  );
  fc.assert(fc.property(length, fc.option(fc.integer(), { nil: undefined }), (length, key) => {
    const target = new Uint8Array(HEADER_BYTES);
    const header = target.subarray(0, writeHeader(target, 2, length, key));
    const decoder = new WebSocketDecoder({ masked: key !== undefined });
    assertEquals(decoder.unwrap(header), 0);
    assertEquals(decoder.unwrap(Uint8Array.of(1, 2, 3, 4, 5)), 5);
    assertEquals(decoder.ending, undefined);
  }));
});

function handshake(chunks: Uint8Array[]): HandshakeResult {
  const reading = new ServerHandshake();
  for (const chunk of chunks) {
    const outcome = reading.push(chunk);
    if (outcome.kind !== "more") return outcome;
  }
  return { kind: "more" };
}

const line = fc.oneof(
  fc.constantFrom(
    "Host: h",
    "Upgrade: websocket",
    "Connection: keep-alive, Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Origin: null",
    "",
  ),
  fc.string({ maxLength: 20 }),
  fc.nat(9000).map((length) => `X: ${"y".repeat(length)}`),
);

Deno.test("any request gives the same outcome under any chunking, and never throws", () => {
  const request = fc.tuple(fc.array(line), fc.nat(120), fc.constantFrom("\r\n", "\r\n", "\n", "\r")).map(
    ([lines, many, end]) => {
      const more = Array.from({ length: many }, (_, at) => `A${at}: 1`);
      return new TextEncoder().encode(["GET / HTTP/1.1", ...lines, ...more, "", "rest"].join(end));
    },
  );
  fc.assert(fc.property(request, fc.array(fc.nat()), (bytes, cuts) => {
    const [pieces, whole] = [handshake(cutAt(bytes, cuts)), handshake([bytes])];
    assertEquals(pieces.kind, whole.kind);
    if (pieces.kind === "refused" && whole.kind === "refused") assertEquals(pieces.status, whole.status);
    if (whole.kind === "more") assert(bytes.length < MAX_HEAD_BYTES, "no more than the cap is held");
  }));
});
