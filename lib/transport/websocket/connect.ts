/** The opening handshake of RFC 6455, section 4, on the client's side. */

import type { HostPort } from "../../config/config.ts";
import { quote } from "../../util/text.ts";
import { type Duplex, writeAll } from "../duplex.ts";
import { WebSocketDuplex } from "./duplex.ts";
import { acceptOf, SUBPROTOCOL } from "./handshake.ts";
import { type Head, HeadReader, listOf, parseHead, shown, valuesOf } from "./http_head.ts";

/** The server and the options of a handshake. */
export interface WebSocketTarget {
  /** The server, for the Host field. */
  readonly host: HostPort;
  /** @default "/" */
  readonly path?: string;
  /** @default "tlv" */
  readonly protocol?: string;
}

/**
 * Performs the handshake over a fresh connection, and resolves to the WebSocket. The caller sets the deadline, and
 * closes `tcp` if this rejects.
 *
 * @throws Error that quotes the response, if the server refuses.
 */
export async function connectWebSocket(tcp: Duplex, target: WebSocketTarget): Promise<WebSocketDuplex> {
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  await writeAll(tcp, new TextEncoder().encode(request(target, key)));
  const { head, rest } = await readHead(tcp);
  checkStatus(head, rest);
  checkResponse(head, key, target.protocol ?? SUBPROTOCOL);
  tcp.unread(rest);
  return new WebSocketDuplex(tcp, "client");
}

function request({ host, path = "/", protocol = SUBPROTOCOL }: WebSocketTarget, key: string): string {
  const name = host.host.includes(":") ? `[${host.host}]` : host.host;
  return [
    `GET ${path} HTTP/1.1`,
    `Host: ${name}:${host.port}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${key}`,
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Protocol: ${protocol}`,
    "\r\n",
  ].join("\r\n");
}

async function readHead(tcp: Duplex): Promise<{ head: Head; rest: Uint8Array }> {
  const reader = new HeadReader();
  for (;;) {
    const chunk = new Uint8Array(1024);
    const count = await tcp.read(chunk);
    if (count === null) {
      throw new Error(
        "the server closed the connection during the WebSocket handshake; if it speaks TLS, use wss://",
      );
    }
    const length = reader.push(chunk.subarray(0, count));
    if (length === undefined) continue;
    const { bytes } = reader;
    return { head: parseHead(bytes.subarray(0, length)), rest: bytes.subarray(length) };
  }
}

/** @param rest The bytes after the head; in a refusal, the reason as text. */
function checkStatus({ startLine }: Head, rest: Uint8Array): void {
  if (/^HTTP\/1\.1 101(?: |$)/.test(startLine)) return;
  const why = rest.length > 0 ? `: ${quote(new TextDecoder().decode(rest).trim())}` : "";
  throw new Error(`the server refused the WebSocket handshake with ${shown(startLine)}${why}`);
}

/** The client's checks of the server's response (section 4.1). */
function checkResponse(head: Head, key: string, protocol: string): void {
  checkField(head, "upgrade", "websocket");
  checkField(head, "connection", "upgrade");
  const [accepted, second] = valuesOf(head, "sec-websocket-accept");
  if (accepted !== acceptOf(key) || second !== undefined) {
    throw new Error(
      `the server's Sec-WebSocket-Accept is ${shown(accepted ?? "")}, expected ${acceptOf(key)}`,
    );
  }
  const [chosen] = listOf(head, "sec-websocket-protocol");
  if (chosen !== undefined && chosen !== protocol) {
    throw new Error(`the server chose the subprotocol ${shown(chosen)}, expected ${shown(protocol)}`);
  }
  const [extension] = listOf(head, "sec-websocket-extensions");
  if (extension !== undefined) {
    throw new Error(`the server uses the extension ${shown(extension)}, but none was offered`);
  }
}

function checkField(head: Head, name: string, token: string): void {
  if (listOf(head, name).some((member) => member.toLowerCase() === token)) return;
  throw new Error(`the server's response has no "${token}" in the field ${name}`);
}
