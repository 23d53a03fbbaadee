import { Opcode } from "../../../lib/transport/websocket/frames.ts";
import { assertEquals } from "../../assert.ts";
import { concat, noise } from "../../bytes.ts";
import { closing, decode, wire } from "./wire.ts";

const { TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION } = Opcode;

/** `bytes` whole, and byte by byte. */
const chunkings = (bytes: Uint8Array) => [[bytes], Array.from(bytes, (byte) => Uint8Array.of(byte))];

const CALM = { pings: [] as number[][], closed: undefined, fault: undefined };

for (const length of [0, 1, 125, 126, 127, 128, 65535, 65536, 65537]) {
  Deno.test(`5.2: a binary message of ${length} bytes is accepted with the shortest length field`, () => {
    const payload = noise(length);
    for (const chunks of chunkings(wire({ payload }))) {
      assertEquals(decode(chunks), { ...CALM, payload: [...payload] });
    }
  });
}

Deno.test("5.2: payload is passed on before its frame is whole", () => {
  const bytes = wire({ payload: [1, 2, 3], length: 2n ** 53n - 1n });
  assertEquals(decode([bytes]), { ...CALM, payload: [1, 2, 3] });
});

Deno.test("5.3: each frame is unmasked with its own key", () => {
  const bytes = concat(
    wire({ payload: "ab", key: [1, 2, 3, 4] }),
    wire({ payload: "cd", key: [255, 254, 253, 252] }),
    wire({ payload: "ef", key: [0, 0, 0, 0] }),
  );
  assertEquals(decode([bytes]).payload, [...new TextEncoder().encode("abcdef")]);
});

Deno.test("5.4: the fragments of a message are passed on as they come", () => {
  const bytes = concat(
    wire({ fin: false, payload: [1] }),
    wire({ fin: false, opcode: CONTINUATION }),
    wire({ fin: false, opcode: CONTINUATION, payload: [2] }),
    wire({ opcode: CONTINUATION, payload: [3] }),
    wire({ payload: [4] }),
  );
  for (const chunks of chunkings(bytes)) assertEquals(decode(chunks), { ...CALM, payload: [1, 2, 3, 4] });
});

Deno.test("5.4: control frames may stand between the fragments of a message", () => {
  const bytes = concat(
    wire({ fin: false, payload: [1] }),
    wire({ opcode: PING, payload: [9] }),
    wire({ opcode: PONG, payload: [8] }),
    wire({ opcode: CONTINUATION, payload: [2] }),
  );
  for (const chunks of chunkings(bytes)) {
    assertEquals(decode(chunks), { ...CALM, payload: [1, 2], pings: [[9]] });
  }
});

Deno.test("5.5.2: a ping of 0 to 125 bytes is kept for its answer", () => {
  for (const length of [0, 1, 125]) {
    assertEquals(decode([wire({ opcode: PING, payload: noise(length) })]).pings, [[...noise(length)]]);
  }
});

Deno.test("5.5.3: of several pings the latest is kept, and an unsolicited pong is ignored", () => {
  const pings = [1, 2, 3].map((byte) => wire({ opcode: PING, payload: [byte] }));
  assertEquals(decode([concat(...pings, wire({ opcode: PONG, payload: [7] }))]), {
    ...CALM,
    payload: [],
    pings: [[3]],
  });
});

interface Fault {
  readonly what: string;
  readonly bytes: Uint8Array;
  /** Payload in `bytes` that comes before the fault. */
  readonly before?: readonly number[];
  /** @default 1002 */
  readonly code?: number;
}

const STARTED = wire({ fin: false, payload: [5] });

const faults: Fault[] = [
  ...[1, 2, 3, 4, 5, 6, 7].map((rsv) => ({
    what: `5.2: reserved bits ${rsv} in a data frame`,
    bytes: wire({ rsv }),
  })),
  ...[CLOSE, PING, PONG].map((opcode) => ({
    what: `5.2: a reserved bit in a frame of opcode ${opcode}`,
    bytes: wire({ rsv: 4, opcode }),
  })),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => ({
    what: `5.2: unknown opcode ${opcode}`,
    bytes: wire({ opcode }),
  })),
  ...[BINARY, PING, CLOSE].map((opcode) => ({
    what: `5.1: a frame of opcode ${opcode} that is not masked`,
    bytes: wire({ opcode, masked: false }),
  })),
  { what: "5.2: a length of 0 in two bytes", bytes: wire({ length: 0, width: 2 }) },
  { what: "5.2: a length of 125 in two bytes", bytes: wire({ length: 125, width: 2 }) },
  { what: "5.2: a length of 0 in eight bytes", bytes: wire({ length: 0, width: 8 }) },
  { what: "5.2: a length of 65535 in eight bytes", bytes: wire({ length: 65535, width: 8 }) },
  { what: "5.2: a length of 2^63", bytes: wire({ length: 2n ** 63n }) },
  { what: "5.2: a length of 2^64-1", bytes: wire({ length: 2n ** 64n - 1n }) },
  { what: "7.4.1: a length of 2^53, which is too big", bytes: wire({ length: 2n ** 53n }), code: 1009 },
  {
    what: "7.4.1: a length of 2^63-1, which is too big",
    bytes: wire({ length: 2n ** 63n - 1n }),
    code: 1009,
  },
  { what: "5.4: a continuation of no message", bytes: wire({ opcode: CONTINUATION }) },
  { what: "5.4: a first continuation of no message", bytes: wire({ opcode: CONTINUATION, fin: false }) },
  {
    what: "5.4: a continuation behind a whole message",
    bytes: concat(STARTED, wire({ opcode: CONTINUATION }), wire({ opcode: CONTINUATION })),
    before: [5],
  },
  { what: "5.4: a new message inside a fragmented one", bytes: concat(STARTED, wire()), before: [5] },
  {
    what: "5.4: a text message inside a fragmented one",
    bytes: concat(STARTED, wire({ opcode: TEXT })),
    before: [5],
  },
  ...[CLOSE, PING, PONG].map((opcode) => ({
    what: `5.5: a fragmented control frame of opcode ${opcode}`,
    bytes: wire({ opcode, fin: false }),
  })),
  ...[CLOSE, PING, PONG].map((opcode) => ({
    what: `5.5: a control frame of opcode ${opcode} and 126 bytes`,
    bytes: wire({ opcode, payload: new Uint8Array(126) }),
  })),
  {
    what: "5.6: a text message, which is not taken",
    bytes: wire({ opcode: TEXT, payload: "hi" }),
    code: 1003,
  },
  { what: "5.6: a fragmented text message", bytes: wire({ opcode: TEXT, fin: false }), code: 1003 },
  { what: "5.5.1: a close frame of one byte", bytes: wire({ opcode: CLOSE, payload: [3] }) },
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map((code) => ({
    what: `7.4: a close frame with the code ${code}`,
    bytes: wire({ opcode: CLOSE, payload: closing(code) }),
  })),
  ...[[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]].map((reason) => ({
    what: `5.5.1: a close frame whose reason is not UTF-8: ${reason}`,
    bytes: wire({ opcode: CLOSE, payload: closing(1000, reason) }),
  })),
];

for (const { what, bytes, before = [], code = 1002 } of faults) {
  Deno.test(`${what}, is failed with ${code}; earlier frames count, later ones are ignored`, () => {
    const good = wire({ payload: [1, 2] });
    for (const chunks of chunkings(concat(good, bytes, good))) {
      assertEquals(decode(chunks), { ...CALM, payload: [1, 2, ...before], fault: code });
    }
  });
}

Deno.test("5.1: a server's frame that is masked is failed by a client with 1002", () => {
  assertEquals(decode([wire({ payload: [1] })], false).fault, 1002);
  assertEquals(decode([wire({ payload: [1], masked: false })], false).payload, [1]);
});

for (
  const code of [
    1000,
    1001,
    1002,
    1003,
    1007,
    1008,
    1009,
    1010,
    1011,
    1012,
    1013,
    1014,
    3000,
    3999,
    4000,
    4999,
  ]
) {
  Deno.test(`7.4: a close frame with the code ${code} is taken`, () => {
    assertEquals(decode([wire({ opcode: CLOSE, payload: closing(code, "bye") })]).closed, code);
  });
}

Deno.test("5.5.1: a close frame may be empty, and hold a reason of 123 bytes in UTF-8", () => {
  assertEquals(decode([wire({ opcode: CLOSE })]).closed, "no code");
  assertEquals(decode([wire({ opcode: CLOSE, payload: closing(1000, "é".repeat(61) + "x") })]).closed, 1000);
});

Deno.test("5.5.1: bytes behind a close frame are ignored, faults too", () => {
  const close = wire({ opcode: CLOSE });
  const behind = concat(wire({ payload: [2] }), wire({ opcode: PING }), wire({ rsv: 7 }));
  for (const chunks of chunkings(concat(wire({ payload: [1] }), close, behind))) {
    assertEquals(decode(chunks), { ...CALM, payload: [1], closed: "no code" });
  }
});
