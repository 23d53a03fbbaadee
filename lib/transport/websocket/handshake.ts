/** The opening handshake of RFC 6455, section 4, on the server's side: bytes in, a result out, no sockets. */

import { createHash } from "node:crypto";
import { type Head, HeadError, HeadReader, listOf, parseHead, shown, valuesOf } from "./http_head.ts";

/** The subprotocol that is accepted when offered: TLV frames in binary messages. */
export const SUBPROTOCOL = "tlv";

/** The configuration of a handshake. */
export interface Policy {
  /** The only path served, without a query; undefined for any. */
  readonly path?: string | undefined;
  /** The allowed origins, in lower case; undefined for any. */
  readonly origins?: readonly string[] | undefined;
}

/** Status of a refusal. */
export type RefusedStatus = 400 | 403 | 404 | 408 | 426 | 431 | 503;

/** The result after the bytes received so far. */
export type HandshakeResult =
  | { readonly kind: "more" }
  /** Send `response`; `rest` is the beginning of the frames. */
  | { readonly kind: "accepted"; readonly response: Uint8Array; readonly rest: Uint8Array }
  /** Send `response`, then close; `why` is the reason in it. */
  | {
    readonly kind: "refused";
    readonly status: RefusedStatus;
    readonly why: string;
    readonly response: Uint8Array;
  };

const REASONS: Readonly<Record<RefusedStatus, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  408: "Request Timeout",
  426: "Upgrade Required",
  431: "Request Header Fields Too Large",
  503: "Service Unavailable",
};

const METHOD = "GET ";

/** A name, IPv4 address or bracketed IPv6 address, and a port (RFC 9112, section 3.2). */
const HOST = /^(?:[\w.~%!$&'()*+;=-]+|\[[\da-f:.]+\])(?::\d*)?$/i;

const encoder = new TextEncoder();

class Refused extends Error {
  readonly status: RefusedStatus;

  constructor(status: RefusedStatus, why: string) {
    super(why);
    this.status = status;
  }
}

/** One handshake, parsed as it arrives. It holds at most a head of the maximum size and the last chunk. */
export class ServerHandshake {
  readonly #policy: Policy;
  readonly #reader = new HeadReader();

  constructor(policy: Policy = {}) {
    this.#policy = policy;
  }

  /** Adds bytes from the client. Must not be called after a result other than `more`. */
  push(chunk: Uint8Array): HandshakeResult {
    try {
      const length = this.#reader.push(chunk);
      const { bytes } = this.#reader;
      checkMethod(bytes);
      if (length === undefined) return { kind: "more" };
      const head = parseHead(bytes.subarray(0, length));
      return { kind: "accepted", response: accept(head, this.#policy), rest: bytes.subarray(length) };
    } catch (error) {
      if (error instanceof Refused || error instanceof HeadError) {
        return refusedWith(error.status, error.message);
      }
      throw error;
    }
  }
}

/** A refused handshake, with the response that contains the reason. */
export function refusedWith(status: RefusedStatus, why: string): HandshakeResult & { kind: "refused" } {
  const text = encoder.encode(`${why}\n`);
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status]}`,
    ...(status === 426 ? ["Upgrade: websocket", "Connection: Upgrade, close"] : ["Connection: close"]),
    ...(status === 426 || status === 400 ? ["Sec-WebSocket-Version: 13"] : []),
    "Content-Type: text/plain; charset=utf-8",
    "X-Content-Type-Options: nosniff",
    `Content-Length: ${text.length}`,
  ];
  const response = encoder.encode(`${head.join("\r\n")}\r\n\r\n${why}\n`);
  return { kind: "refused", status, why, response };
}

/** The proof that the server understood the handshake with `key` (section 4.2.2, item 5.4). */
export function acceptOf(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

/** Checks the first bytes, so that other methods that begin with G are refused before the head is complete. */
function checkMethod(bytes: Uint8Array): void {
  for (let at = 0; at < METHOD.length && at < bytes.length; at++) {
    if (bytes[at] !== METHOD.charCodeAt(at)) {
      throw new Refused(400, "the method of a WebSocket handshake is GET");
    }
  }
}

function accept(head: Head, policy: Policy): Uint8Array {
  const path = pathOf(head.startLine);
  checkFraming(head);
  const key = checkUpgrade(head);
  checkOrigin(head, policy);
  if (policy.path !== undefined && path !== policy.path) {
    throw new Refused(404, `there is no WebSocket at the path ${shown(path)}`);
  }
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${acceptOf(key)}`,
    ...(listOf(head, "sec-websocket-protocol").includes(SUBPROTOCOL)
      ? [`Sec-WebSocket-Protocol: ${SUBPROTOCOL}`]
      : []),
  ];
  return encoder.encode(`${lines.join("\r\n")}\r\n\r\n`);
}

/** The path, without the query, of the start line, which contains a path or a URI (section 4.2.1, item 1). */
function pathOf(startLine: string): string {
  const [, target, version] = /^GET ([\x21\x22\x24-\x7e]+) (HTTP\/\d\.\d)$/.exec(startLine) ?? [];
  if (target === undefined) throw new Refused(400, `not the first line of a request: ${shown(startLine)}`);
  if (version !== "HTTP/1.1") throw new Refused(400, `a WebSocket handshake is HTTP/1.1, not ${version}`);
  const [, authority, path] = /^((?:https?|wss?):\/\/[^/?]+)?(\/[^?]*)?(?:\?.*)?$/i.exec(target) ?? [];
  if (path === undefined && authority === undefined) {
    throw new Refused(400, `neither a path nor a URI: ${shown(target)}`);
  }
  return path ?? "/";
}

/** One host, no body: proxies on the way could read anything else differently (RFC 9112, sections 3.2 and 6). */
function checkFraming(head: Head): void {
  const host = theOne(head, "host");
  if (!HOST.test(host)) {
    throw new Refused(400, `expected one host and port in the Host field, found ${shown(host)}`);
  }
  if (valuesOf(head, "transfer-encoding").length > 0) {
    throw new Refused(400, "a handshake has no body: Transfer-Encoding is not allowed");
  }
  if (valuesOf(head, "content-length").some((length) => length !== "0")) {
    throw new Refused(400, "a handshake has no body: Content-Length is not allowed");
  }
}

/** Section 4.2.1, items 3 to 6. Returns the key. */
function checkUpgrade(head: Head): string {
  checkToken(head, "upgrade", "websocket");
  checkToken(head, "connection", "upgrade");
  const version = theOne(head, "sec-websocket-version");
  if (version !== "13") throw new Refused(426, `the WebSocket version is 13, not ${shown(version)}`);
  const key = theOne(head, "sec-websocket-key");
  if (/^[A-Za-z0-9+/]{22}==$/.test(key)) return key;
  throw new Refused(400, `Sec-WebSocket-Key is 16 bytes in base64, not ${shown(key)}`);
}

function checkToken(head: Head, name: string, token: string): void {
  if (listOf(head, name).some((member) => member.toLowerCase() === token)) return;
  throw new Refused(
    400,
    `this port speaks WebSocket and TLV frames: "${token}" is missing in the ${title(name)} field`,
  );
}

/** Browsers send the page's origin; other clients need not (section 4.2.2, item 4.1). */
function checkOrigin(head: Head, { origins }: Policy): void {
  if (valuesOf(head, "origin").length === 0) return;
  const origin = theOne(head, "origin");
  if (origins === undefined || origins.includes(origin.toLowerCase())) return;
  throw new Refused(403, `pages from ${shown(origin)} may not connect`);
}

/** The value of a field that must occur once. */
function theOne(head: Head, name: string): string {
  const [value, second] = valuesOf(head, name);
  if (value === undefined) throw new Refused(400, `the field ${title(name)} is missing`);
  if (second !== undefined) throw new Refused(400, `the field ${title(name)} occurs more than once`);
  return value;
}

function title(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (letter) => letter.toUpperCase()).replace("Websocket", "WebSocket");
}
