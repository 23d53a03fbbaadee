import type { WebSocketConfig } from "../../../lib/config/config.ts";
import { ServerHandshake } from "../../../lib/transport/websocket/handshake.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../assert.ts";
import { receiveAll, send } from "../../bytes.ts";
import { startWithWebSocket } from "../../fixture.ts";
import { ACCEPT, KEY, request } from "./raw.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function outcome(text: string, policy: WebSocketConfig = {}) {
  const result = new ServerHandshake(policy).push(encode(text));
  if (result.kind === "more") return { kind: result.kind, status: 0, text: "", rest: "" };
  const rest = result.kind === "accepted" ? new TextDecoder().decode(result.rest) : "";
  const status = result.kind === "refused" ? result.status : 101;
  return { kind: result.kind, status, text: new TextDecoder().decode(result.response), rest };
}

const lines = (...lines: string[]) => request().replace("\r\n\r\n", `\r\n${lines.join("\r\n")}\r\n\r\n`);
const without = (name: string) => request({ [name]: [] });

const taken: readonly [string, string, WebSocketConfig?][] = [
  ["the least request", request()],
  [
    "names and tokens in any case",
    request({ Upgrade: "WebSocket", Connection: "UPGRADE" }).toLowerCase()
      .replace("get / http", "GET / HTTP").replace(KEY.toLowerCase(), KEY),
  ],
  ["tokens among others, over several lines", request({ Connection: ["keep-alive", "x ,Upgrade"] })],
  ["Upgrade among other protocols", request({ Upgrade: "h2c, websocket" })],
  ["an IPv6 address and its port for a Host", request({ Host: "[2001:db8::1]:8888" })],
  ["values with space around them", request({ "Sec-WebSocket-Key": ` \t${KEY} \t` })],
  ["a whole URI", request({}, "GET http://example.com/ws?a=b HTTP/1.1"), { path: "/ws" }],
  ["a URI without a path", request({}, "GET ws://example.com HTTP/1.1"), { path: "/" }],
  ["the path that is served, with a query", request({}, "GET /ws?token=1 HTTP/1.1"), { path: "/ws" }],
  ["any path where none is set", request({}, "GET /a/b%20c HTTP/1.1")],
  ["an origin on the list", request({ Origin: "https://A.example" }), { origins: ["https://a.example"] }],
  ["no origin where a list is set", request(), { origins: ["https://a.example"] }],
  ["any origin where no list is set", request({ Origin: "null" })],
  ["a body of nothing", request({ "Content-Length": "0" })],
  ["extensions, which are not used", request({ "Sec-WebSocket-Extensions": "permessage-deflate" })],
  ["100 fields", lines(...Array.from({ length: 95 }, (_, at) => `X-${at}: y`))],
  ["8 KiB", lines(`X: ${"y".repeat(8192 - request().length - 5)}`)],
  ["bytes over 127 in a field that does not matter", request({ Cookie: "é" })],
];

for (const [what, text, policy] of taken) {
  Deno.test(`4.2: taken: ${what}`, () => {
    const { status, text: response, rest } = outcome(`${text}frames`, policy);
    assertEquals(status, 101, response);
    assertStringIncludes(response, `\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n`);
    assert(!/extensions/i.test(response), "no extension is agreed on");
    assertEquals(rest, "frames");
  });
}

const refused: readonly [number, string, string, WebSocketConfig?][] = [
  [400, "another method in G", request({}, "GRAB / HTTP/1.1")],
  [400, "a method in lower case", request({}, "Get / HTTP/1.1")],
  [400, "HTTP/1.0", request({}, "GET / HTTP/1.0")],
  [400, "HTTP/2.0", request({}, "GET / HTTP/2.0")],
  [400, "no version of HTTP", request({}, "GET /")],
  [400, "two spaces in the first line", request({}, "GET  / HTTP/1.1")],
  [400, "a path without a slash", request({}, "GET ws HTTP/1.1")],
  [400, "an asterisk for a path", request({}, "GET * HTTP/1.1")],
  [400, "a fragment in the path", request({}, "GET /#a HTTP/1.1")],
  [400, "no Host", without("Host")],
  [400, "an empty Host", request({ Host: "" })],
  [400, "two hosts in one field", request({ Host: "a, b" })],
  [400, "a Host with a space", request({ Host: "a b" })],
  [400, "a URI for a Host", request({ Host: "http://a/" })],
  [400, "two Hosts", request({ Host: ["a", "b"] })],
  [400, "the same Host twice", request({ Host: ["a", "a"] })],
  [400, "a page that is served elsewhere", "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "no Upgrade", without("Upgrade")],
  [400, "another Upgrade", request({ Upgrade: "h2c" })],
  [400, "an Upgrade that only begins like it", request({ Upgrade: "websockets" })],
  [400, "no Connection", without("Connection")],
  [400, "a Connection without upgrade", request({ Connection: "keep-alive" })],
  [400, "no version", without("Sec-WebSocket-Version")],
  [426, "version 8", request({ "Sec-WebSocket-Version": "8" })],
  [426, "version 14", request({ "Sec-WebSocket-Version": "14" })],
  [426, "version 13 in another spelling", request({ "Sec-WebSocket-Version": "013" })],
  [400, "two versions", request({ "Sec-WebSocket-Version": ["13", "13"] })],
  [400, "no key", without("Sec-WebSocket-Key")],
  [400, "an empty key", request({ "Sec-WebSocket-Key": "" })],
  [400, "a key of 15 bytes", request({ "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAA" })],
  [400, "a key of 17 bytes", request({ "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAAA=" })],
  [400, "a key that is not base64", request({ "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZ!==" })],
  [400, "two keys", request({ "Sec-WebSocket-Key": [KEY, KEY] })],
  [400, "a body", request({ "Content-Length": "5" }) + "hello"],
  [400, "a Transfer-Encoding", request({ "Transfer-Encoding": "chunked" })],
  [400, "bare line feeds", request().replaceAll("\r\n", "\n")],
  [400, "one bare line feed", request().replace("\r\nUpgrade", "\nUpgrade")],
  [400, "one bare carriage return", request({ Cookie: "a\rb" })],
  [400, "a folded field", request({ Cookie: "a\r\n b" })],
  [400, "a space before the colon", lines("Cookie : a")],
  [400, "a field without a name", lines(": a")],
  [400, "a line that is no field", lines("Cookie")],
  [400, "a NUL in a field", request({ Cookie: "a\0b" })],
  [403, "a foreign origin", request({ Origin: "https://b.example" }), { origins: ["https://a.example"] }],
  [403, "the origin null", request({ Origin: "null" }), { origins: ["https://a.example"] }],
  [403, "an origin that only begins like it", request({ Origin: "https://a.example.b" }), {
    origins: ["https://a.example"],
  }],
  [400, "two origins", request({ Origin: ["https://a.example", "https://b.example"] }), {
    origins: ["https://a.example"],
  }],
  [404, "another path", request({}, "GET /other HTTP/1.1"), { path: "/ws" }],
  [404, "a path that only begins like it", request({}, "GET /ws/ HTTP/1.1"), { path: "/ws" }],
  [431, "101 fields", lines(...Array.from({ length: 96 }, (_, at) => `X-${at}: y`))],
  [431, "more than 8 KiB", lines(`X: ${"y".repeat(8192 - request().length - 4)}`)],
  [431, "a first line of more than 8 KiB", `GET /${"a".repeat(9000)}`],
];

for (const [status, what, text, policy = {}] of refused) {
  Deno.test(`4.2: refused with ${status}: ${what}`, async () => {
    assertEquals(outcome(text, policy).status, status);
    await using balancer = startWithWebSocket(policy);
    using client = await balancer.connect();
    await send(client, encode(text));
    const response = new TextDecoder().decode(await receiveAll(client));
    const [, code, length, body] =
      /^HTTP\/1\.1 (\d+) .*\r\nContent-Length: (\d+)\r\n\r\n(.*)$/s.exec(response) ?? [];
    assertEquals(Number(code), status, response);
    assertEquals(encode(body ?? "").length, Number(length));
    assertEquals(/\r\nSec-WebSocket-Version: 13\r\n/.test(response), status === 426 || status === 400);
    assertEquals(/\r\nUpgrade: websocket\r\n/.test(response), status === 426);
  });
}

Deno.test("4.2.2: the subprotocol tlv is accepted when offered, otherwise none", () => {
  const protocolOf = (offered: string | string[]) =>
    /Sec-WebSocket-Protocol: (.*)\r\n/.exec(outcome(request({ "Sec-WebSocket-Protocol": offered })).text)
      ?.[1];
  assertEquals(protocolOf("tlv"), "tlv");
  assertEquals(protocolOf("mqtt, tlv"), "tlv");
  assertEquals(protocolOf(["mqtt", "tlv"]), "tlv");
  assertEquals(protocolOf("mqtt"), undefined);
  assertEquals(protocolOf("TLV"), undefined);
});

Deno.test("a refusal quotes at most 60 characters of the value, all of them visible ASCII", () => {
  const { text } = outcome(request({ "Sec-WebSocket-Key": `é\t"${"x".repeat(500)}` }));
  assertMatch(text, /not "\\xc3\\xa9\\x09\\x22x+\.\.\."\n$/);
});
