import { crc32c } from "../../../lib/transport/proxy_protocol/crc32c.ts";
import {
  encodeProxyHeader,
  parseProxyHeader,
  V1_BYTES,
  V2_BYTES,
} from "../../../lib/transport/proxy_protocol/header.ts";
import { assertEquals } from "../../assert.ts";
import { concat } from "../../bytes.ts";

const text = (line: string) => new TextEncoder().encode(line);

const SIGNATURE = text("\r\n\r\n\0\r\nQUIT\n");

/** A header of version 2; `length` is the value of its length field. */
function v2(
  command: number,
  family: number,
  body: Uint8Array,
  length = body.length,
): Uint8Array<ArrayBuffer> {
  return concat(SIGNATURE, Uint8Array.of(command, family, length >> 8, length & 255), body);
}

const V4 = Uint8Array.of(192, 0, 2, 7, 10, 0, 0, 1, 0x30, 0x39, 0x22, 0xb8);
const V4_PASSED = {
  source: { hostname: "192.0.2.7", port: 12345 },
  destination: { hostname: "10.0.0.1", port: 8888 },
};

const good: readonly [what: string, header: Uint8Array, source: string | null][] = [
  ["v1 TCP4", text("PROXY TCP4 192.0.2.7 10.0.0.1 12345 8888\r\n"), "192.0.2.7"],
  ["v1 TCP6", text("PROXY TCP6 2001:db8::7 ::1 12345 8888\r\n"), "2001:db8::7"],
  ["v1 TCP6 of an IPv4-mapped address", text("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n"), "192.0.2.7"],
  ["v1 TCP6 written out", text("PROXY TCP6 0001:0db8:0:0:0:0:0:07 ::1 1 2\r\n"), "1:db8::7"],
  ["v1 UNKNOWN", text("PROXY UNKNOWN\r\n"), null],
  ["v1 UNKNOWN with anything behind it", text("PROXY UNKNOWN ffff::1 x y z\r\n"), null],
  ["v1 of the longest kind", text(`PROXY UNKNOWN ${"f".repeat(V1_BYTES - 16)}\r\n`), null],
  ["v2 over IPv4", v2(0x21, 0x11, V4), "192.0.2.7"],
  ["v2 over IPv6", v2(0x21, 0x21, new Uint8Array(36).fill(1)), "101:101:101:101:101:101:101:101"],
  ["v2 LOCAL", v2(0x20, 0x00, new Uint8Array()), null],
  ["v2 LOCAL with addresses, which mean nothing", v2(0x20, 0x11, V4), null],
  ["v2 of an unspecified family", v2(0x21, 0x00, new Uint8Array()), null],
  ["v2 of a UNIX socket", v2(0x21, 0x31, new Uint8Array(216)), null],
  ["v2 with additions", v2(0x21, 0x11, concat(V4, Uint8Array.of(5, 0, 2, 7, 7, 4, 0, 0))), "192.0.2.7"],
];

for (const [what, header, source] of good) {
  Deno.test(`PROXY ${what} is parsed at every cut, and nothing behind it`, () => {
    for (let cut = 0; cut < header.length; cut++) {
      assertEquals(parseProxyHeader(header.subarray(0, cut)), { kind: "incomplete" }, `cut at ${cut}`);
    }
    const outcome = parseProxyHeader(concat(header, Uint8Array.of(1, 2, 3)));
    if (outcome.kind !== "complete") throw new Error(JSON.stringify(outcome));
    assertEquals(outcome.length, header.length);
    assertEquals(outcome.endpoints?.source.hostname ?? null, source);
  });
}

/** With its checksum, which begins at byte 31, wrong by `error`. */
function withChecksum(error: number): Uint8Array<ArrayBuffer> {
  const header = v2(0x21, 0x11, concat(V4, Uint8Array.of(3, 0, 4, 0, 0, 0, 0)));
  new DataView(header.buffer).setUint32(31, crc32c(header) + error);
  return header;
}

Deno.test("CRC-32C of the example in RFC 3720 and of the usual check", () => {
  assertEquals(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assertEquals(crc32c(text("123456789")), 0xe3069283);
});

Deno.test("PROXY v2 with a correct checksum is accepted", () => {
  assertEquals(parseProxyHeader(withChecksum(0)), { kind: "complete", length: 35, endpoints: V4_PASSED });
});

const bad: Record<string, Uint8Array> = {
  "an ID frame": Uint8Array.of(1, 0, 0, 0, 1, 0x31),
  "a word that is nearly PROXY": text("PROXI"),
  "PROXY without a space": text("PROXY\r\n"),
  "an unknown family": text("PROXY TCP5 192.0.2.7 10.0.0.1 1 2\r\n"),
  "UDP": text("PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n"),
  "a missing port": text("PROXY TCP4 192.0.2.7 10.0.0.1 1\r\n"),
  "a word too much": text("PROXY TCP4 192.0.2.7 10.0.0.1 1 2 3\r\n"),
  "two spaces": text("PROXY TCP4  192.0.2.7 10.0.0.1 1 2\r\n"),
  "a port over 65535": text("PROXY TCP4 192.0.2.7 10.0.0.1 1 65536\r\n"),
  "a port with a leading zero": text("PROXY TCP4 192.0.2.7 10.0.0.1 01 2\r\n"),
  "a negative port": text("PROXY TCP4 192.0.2.7 10.0.0.1 -1 2\r\n"),
  "an IPv6 address as TCP4": text("PROXY TCP4 ::1 ::1 1 2\r\n"),
  "an IPv4 address as TCP6": text("PROXY TCP6 192.0.2.7 10.0.0.1 1 2\r\n"),
  "an address with a leading zero": text("PROXY TCP4 192.0.02.7 10.0.0.1 1 2\r\n"),
  "an IPv4-mapped address with a leading zero": text("PROXY TCP6 ::ffff:010.0.2.7 ::1 1 2\r\n"),
  "an address of two parts": text("PROXY TCP4 192.7 10.0.0.1 1 2\r\n"),
  "a host name": text("PROXY TCP4 localhost 10.0.0.1 1 2\r\n"),
  "a zone": text("PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n"),
  "a line end without CR": text("PROXY UNKNOWN\n"),
  "no line end within 107 bytes": text(`PROXY UNKNOWN ${"f".repeat(200)}`),
  "a line of 108 bytes": text(`PROXY UNKNOWN ${"f".repeat(V1_BYTES - 15)}\r\n`),
  "v2 with a wrong signature": text("\r\n\r\n\0\r\nQUIP\n"),
  "v2 of version 1": v2(0x11, 0x11, V4),
  "v2 of version 3": v2(0x31, 0x11, V4),
  "v2 with an unknown command": v2(0x22, 0x11, V4),
  "v2 of datagrams": v2(0x21, 0x12, V4),
  "v2 of an unknown family": v2(0x21, 0x41, V4),
  "v2 too short for its addresses": v2(0x21, 0x11, V4.subarray(1)),
  "v2 over the cap, told by its length": v2(0x21, 0x11, V4, V2_BYTES),
  "v2 with a TLV beyond the header": v2(0x21, 0x11, concat(V4, Uint8Array.of(5, 0, 9, 7))),
  "v2 with half a TLV": v2(0x21, 0x11, concat(V4, Uint8Array.of(5, 0))),
  "v2 with a wrong checksum": withChecksum(1),
  "v2 with a checksum of 3 bytes": v2(0x21, 0x11, concat(V4, Uint8Array.of(3, 0, 3, 0, 0, 0))),
};

for (const [what, header] of Object.entries(bad)) {
  Deno.test(`PROXY header with ${what} is malformed`, () => {
    assertEquals(parseProxyHeader(header).kind, "malformed");
  });
}

for (const version of ["v1", "v2"] as const) {
  Deno.test(`a ${version} header is decoded to the values that were encoded`, () => {
    const v6 = {
      source: { hostname: "2001:db8::7", port: 1 },
      destination: { hostname: "::1", port: 65535 },
    };
    for (const endpoints of [V4_PASSED, v6]) {
      const header = encodeProxyHeader(version, endpoints);
      assertEquals(parseProxyHeader(header), { kind: "complete", length: header.length, endpoints });
    }
  });

  Deno.test(`a ${version} header writes IPv4-mapped addresses as IPv4, and two families as IPv6`, () => {
    const source = { hostname: "::ffff:192.0.2.7", port: 1 };
    const v4 = encodeProxyHeader(version, { source, destination: { hostname: "10.0.0.1", port: 2 } });
    assertEquals(v4[version === "v1" ? 9 : 13], version === "v1" ? "4".charCodeAt(0) : 0x11);
    const v6 = encodeProxyHeader(version, { source, destination: { hostname: "2001:db8::1", port: 2 } });
    assertEquals(v6[version === "v1" ? 9 : 13], version === "v1" ? "6".charCodeAt(0) : 0x21);
    assertEquals(parseProxyHeader(v6).kind, "complete");
  });
}
