import {
  encodeClose,
  encodeShortFrame,
  Opcode,
  writeHeader,
} from "../../../lib/transport/websocket/frames.ts";
import { assertEquals } from "../../assert.ts";

const { BINARY, PING, PONG } = Opcode;

Deno.test("5.2: a header has the shortest length field, in network order, and the key of a client", () => {
  const header = (length: number, key?: number) => {
    const target = new Uint8Array(14);
    return [...target.subarray(0, writeHeader(target, BINARY, length, key))];
  };
  assertEquals(header(0), [0x82, 0]);
  assertEquals(header(125), [0x82, 125]);
  assertEquals(header(126), [0x82, 126, 0, 126]);
  assertEquals(header(65535), [0x82, 126, 255, 255]);
  assertEquals(header(65536), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
  assertEquals(header(2 ** 40 + 5), [0x82, 127, 0, 0, 1, 0, 0, 0, 0, 5]);
  assertEquals(header(1, 0x04030201), [0x82, 0x81, 1, 2, 3, 4]);
  assertEquals(header(1, -1), [0x82, 0x81, 255, 255, 255, 255]);
});

Deno.test("5.7: the frames of the RFC's examples", () => {
  const hello = new TextEncoder().encode("Hello");
  const pong = [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
  assertEquals([...encodeShortFrame(PONG, hello, 0x3d21fa37)], pong);
  assertEquals([...encodeShortFrame(PING, hello)], [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
});

Deno.test("5.5.1: a close frame that is sent has code and reason, cut at a character if it is too long", () => {
  assertEquals([...encodeClose(undefined)], [0x88, 0]);
  assertEquals([...encodeClose(1002, "no")], [0x88, 4, 0x03, 0xea, 0x6e, 0x6f]);
  const long = encodeClose(1002, "é".repeat(100));
  assertEquals(new TextDecoder("utf-8", { fatal: true }).decode(long.subarray(4)), "é".repeat(61));
});
