/**
 * The PROXY protocol, versions 1 and 2, as specified by HAProxy: a header ahead of all other data, with the client's
 * address. Pure: bytes to values and back.
 */

import ipaddr from "ipaddr.js";
import type { Endpoint } from "../duplex.ts";
import { crc32c } from "./crc32c.ts";

/** The client's connection to the proxy. */
export interface ProxiedEndpoints {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

/** The result of parsing the bytes received so far. */
export type ProxyOutcome =
  | {
    readonly kind: "complete";
    /** Bytes of the header. */
    readonly length: number;
    /** Null if the proxy connects for itself (LOCAL, such as a health check), or does not know the client (UNKNOWN). */
    readonly endpoints: ProxiedEndpoints | null;
  }
  | { readonly kind: "incomplete" }
  | { readonly kind: "malformed"; readonly why: string };

/** Longest line of version 1, including CRLF (section 2.1). */
export const V1_BYTES = 107;

/** Longest header of version 2 accepted: the addresses and 4 KiB of TLVs; the length field would allow 64 KiB. */
export const V2_BYTES = 16 + 36 + (4 << 10);

const V1_PREFIX = new TextEncoder().encode("PROXY ");
const V2_SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const V2_HEAD_BYTES = 16;
const TLV_CRC32C = 0x03;
const INCOMPLETE: ProxyOutcome = { kind: "incomplete" };

class Malformed extends Error {}

/** Parses the header at the start of `bytes`, which may be incomplete. Never throws. */
export function parseProxyHeader(bytes: Uint8Array): ProxyOutcome {
  try {
    if (startsLike(bytes, V2_SIGNATURE)) return parseV2(bytes);
    if (startsLike(bytes, V1_PREFIX)) return parseV1(bytes);
    return { kind: "malformed", why: "it does not begin with a PROXY header" };
  } catch (error) {
    if (error instanceof Malformed) return { kind: "malformed", why: error.message };
    throw error;
  }
}

/** True if one of `bytes` and `start` is a prefix of the other. */
export function startsLike(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.subarray(0, start.length).every((byte, index) => byte === start[index]);
}

/** True if `bytes` may be the beginning of a header of either version. */
export function looksLikeProxyHeader(bytes: Uint8Array): boolean {
  return startsLike(bytes, V2_SIGNATURE) || startsLike(bytes, V1_PREFIX);
}

function parseV1(bytes: Uint8Array): ProxyOutcome {
  const end = bytes.subarray(0, V1_BYTES).indexOf(0x0a);
  if (end < 0 && bytes.length >= V1_BYTES) {
    throw new Malformed(`version 1: no end of line within ${V1_BYTES} bytes`);
  }
  if (end < 0) return INCOMPLETE;
  if (bytes[end - 1] !== 0x0d) throw new Malformed("version 1: the line does not end with CR LF");
  const line = String.fromCharCode(...bytes.subarray(0, end - 1));
  return { kind: "complete", length: end + 1, endpoints: parseLine(line) };
}

function parseLine(line: string): ProxiedEndpoints | null {
  const [, family, from, to, fromPort, toPort, ...more] = line.split(" ");
  if (family === "UNKNOWN") return null;
  if (family !== "TCP4" && family !== "TCP6") {
    throw new Malformed("version 1: neither TCP4, TCP6 nor UNKNOWN");
  }
  if (more.length > 0) throw new Malformed("version 1: more than two addresses and two ports");
  return {
    source: { hostname: addressOf(from, family), port: portOf(fromPort) },
    destination: { hostname: addressOf(to, family), port: portOf(toPort) },
  };
}

/** A leading zero in a dotted address, which some parsers take for octal. */
const LEADING_ZERO = /(^|[:.])0\d+\.|\.0\d/;

function addressOf(text = "", family: "TCP4" | "TCP6"): string {
  const plain = family === "TCP4" ? /^\d{1,3}(\.\d{1,3}){3}$/ : /^[0-9A-Fa-f:.]+$/;
  const parser = family === "TCP4" ? ipaddr.IPv4 : ipaddr.IPv6;
  if (!plain.test(text) || LEADING_ZERO.test(text) || !parser.isValid(text)) {
    throw new Malformed(`version 1: an address is not a ${family} address`);
  }
  return ipaddr.process(text).toString();
}

function portOf(text = ""): number {
  if (!/^(0|[1-9]\d{0,4})$/.test(text) || Number(text) > 65535) {
    throw new Malformed("version 1: a port is not a number from 0 to 65535");
  }
  return Number(text);
}

function parseV2(bytes: Uint8Array): ProxyOutcome {
  const [command, family] = [bytes[12] ?? 0x20, bytes[13] ?? 0];
  if (command !== 0x20 && command !== 0x21) {
    throw new Malformed("version 2: neither LOCAL nor PROXY of version 2");
  }
  if (bytes.length < V2_HEAD_BYTES) return INCOMPLETE;
  const length = V2_HEAD_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint16(14);
  if (length > V2_BYTES) throw new Malformed(`version 2: ${length} bytes long, over ${V2_BYTES}`);
  if (command === 0x21) checkFamily(family, length);
  if (bytes.length < length) return INCOMPLETE;
  const header = bytes.subarray(0, length);
  return { kind: "complete", length, endpoints: command === 0x20 ? null : passedBy(header, family) };
}

/** Bytes of both addresses and ports, by address family and transport (section 2.2); others are unassigned. */
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([[0x00, 0], [0x11, 12], [0x21, 36], [0x31, 216]]);

function checkFamily(family: number, length: number): void {
  const needed = ADDRESS_BYTES.get(family);
  if (needed === undefined) {
    throw new Malformed("version 2: the address family or transport is not supported");
  }
  if (length < V2_HEAD_BYTES + needed) throw new Malformed("version 2: too short for its addresses");
}

function passedBy(header: Uint8Array, family: number): ProxiedEndpoints | null {
  checkTlvs(header, V2_HEAD_BYTES + (ADDRESS_BYTES.get(family) ?? 0));
  const size = family === 0x11 ? 4 : 16;
  if (family !== 0x11 && family !== 0x21) return null;
  const view = new DataView(header.buffer, header.byteOffset + V2_HEAD_BYTES);
  const address = (at: number) => {
    const raw = [...header.subarray(V2_HEAD_BYTES + at, V2_HEAD_BYTES + at + size)];
    return ipaddr.process(ipaddr.fromByteArray(raw).toString()).toString();
  };
  return {
    source: { hostname: address(0), port: view.getUint16(2 * size) },
    destination: { hostname: address(size), port: view.getUint16(2 * size + 2) },
  };
}

/** Checks the TLVs behind the addresses, of which only the checksum is used here. */
function checkTlvs(header: Uint8Array, start: number): void {
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  let at = start;
  while (at + 3 <= header.length) {
    const [type, end] = [view.getUint8(at), at + 3 + view.getUint16(at + 1)];
    if (end > header.length) break;
    if (type === TLV_CRC32C) checkSum(header, at + 3, end);
    at = end;
  }
  if (at !== header.length) throw new Malformed("version 2: a TLV is longer than the header");
}

/** The checksum covers the whole header, with its own bytes set to 0 (section 2.2.3). */
function checkSum(header: Uint8Array, start: number, end: number): void {
  if (end - start !== 4) throw new Malformed("version 2: the checksum does not have 4 bytes");
  const told = new DataView(header.buffer, header.byteOffset + start).getUint32(0);
  if (crc32c(header.slice().fill(0, start, end)) !== told) {
    throw new Malformed("version 2: the checksum is wrong");
  }
}

/** The header of `version` for a proxied connection. */
export function encodeProxyHeader(
  version: "v1" | "v2",
  { source, destination }: ProxiedEndpoints,
): Uint8Array {
  const [from, to] = ofOneFamily(ipaddr.process(source.hostname), ipaddr.process(destination.hostname));
  const ports = [source.port, destination.port];
  const isV4 = from.kind() === "ipv4";
  if (version === "v1") {
    const line = ["PROXY", isV4 ? "TCP4" : "TCP6", from.toString(), to.toString(), ...ports].join(" ");
    return new TextEncoder().encode(`${line}\r\n`);
  }
  const addresses = [
    ...from.toByteArray(),
    ...to.toByteArray(),
    ...ports.flatMap((port) => [port >> 8, port & 255]),
  ];
  return Uint8Array.of(...V2_SIGNATURE, 0x21, isV4 ? 0x11 : 0x21, 0, addresses.length, ...addresses);
}

/** The header of `version` for a connection of the proxy itself, such as a health check (LOCAL, or UNKNOWN in v1). */
export function encodeLocalHeader(version: "v1" | "v2"): Uint8Array {
  if (version === "v1") return new TextEncoder().encode("PROXY UNKNOWN\r\n");
  return Uint8Array.of(...V2_SIGNATURE, 0x20, 0, 0, 0);
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

function ofOneFamily(from: Address, to: Address): readonly [Address, Address] {
  if (from.kind() === to.kind()) return [from, to];
  const mapped = (one: Address) => one instanceof ipaddr.IPv4 ? one.toIPv4MappedAddress() : one;
  return [mapped(from), mapped(to)];
}
