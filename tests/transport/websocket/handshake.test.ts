import type { WebSocketConfig } from "../../../lib/config/config.ts";
import { encodeId } from "../../../lib/frame/tlv.ts";
import { ServerHandshake } from "../../../lib/transport/websocket/handshake.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../assert.ts";
import { concat, receive, receiveAll, send } from "../../bytes.ts";
import { refusalCode } from "../../clients.ts";
import { configTo, startBalancer, startEchoing } from "../../fixture.ts";
import { pause, until } from "../../wait.ts";
import { ACCEPT, KEY, RawWebSocket, request } from "./raw.ts";
import { wire } from "./wire.ts";

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

const balancerWith = (websocket: WebSocketConfig | false, port = 9, id = 5000) =>
  startBalancer(configTo(port, {
    listeners: [{ address: { host: "127.0.0.1", port: 0 }, websocket }],
    timeouts: { id },
  }));

for (const [status, what, text, policy = {}] of refused) {
  Deno.test(`4.2: refused with ${status}: ${what}`, async () => {
    assertEquals(outcome(text, policy).status, status);
    await using balancer = balancerWith(policy);
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

Deno.test("4.2.2: the subprotocol tlv is accepted when offered, none is where it is not", () => {
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

Deno.test("with websocket: false a G is BAD_FRAME like any other byte", async () => {
  await using balancer = balancerWith(false);
  using client = await balancer.connect();
  await send(client, encode("G"));
  assertEquals(refusalCode(await receiveAll(client)), 1);
});

Deno.test("a handshake cut at every byte is accepted, and bytes behind it in the same write are frames", async () => {
  await using balancer = startEchoing();
  const bytes = concat(encode(request()), wire({ payload: encodeId("1") }), wire({ opcode: 8 }));
  const clientCutAt = async (cut: number) => {
    using conn = await balancer.connect();
    conn.setNoDelay(true);
    await send(conn, bytes.subarray(0, cut));
    await pause(5);
    await send(conn, bytes.subarray(cut));
    const received = await receiveAll(conn);
    assertEquals([...received.subarray(-10)], [0x82, 6, ...encodeId("1"), 0x88, 0]);
  };
  for (let cut = 1; cut < bytes.length; cut += 20) {
    await Promise.all(
      Array.from({ length: 20 }, (_, more) => clientCutAt(Math.min(cut + more, bytes.length - 1))),
    );
  }
});

Deno.test("a handshake that is not complete at the deadline gets 408, also where bytes keep coming", async () => {
  await using balancer = balancerWith({}, 9, 300);
  using client = await balancer.connect();
  const started = performance.now();
  await send(client, encode("G"));
  const dribble = (async () => {
    try {
      for (const byte of encode(request().slice(1))) {
        await pause(50);
        await send(client, Uint8Array.of(byte));
      }
    } catch {
      // turned away
    }
  })();
  assertMatch(new TextDecoder().decode(await receiveAll(client)), /^HTTP\/1\.1 408 Request Timeout\r\n/);
  assert(performance.now() - started >= 290);
  client.close();
  await dribble;
});

Deno.test("the ID deadline runs from the accept, not from the handshake", async () => {
  await using balancer = balancerWith({}, 9, 800);
  using client = await balancer.connect();
  const started = performance.now();
  await send(client, encode("G"));
  await pause(400);
  // its time begins before that of a deadline from the handshake would
  using later = await balancer.connect();
  await until(() => balancer.balancer.active === 2, "it is accepted");
  const laterEnded = receiveAll(later).then(() => performance.now());
  await send(client, encode(request().slice(1)));
  await receive(client, outcome(request()).text.length);
  const [first] = await receive(client, 1);
  const ended = performance.now();
  assertEquals(first, 0x82, "the ERROR frame comes as a binary message");
  assert(ended - started >= 790, `ended after ${ended - started} ms`);
  assert(ended < await laterEnded, "it was accepted first, so it ends first");
});

Deno.test("a handshake that is refused is accounted for as a WebSocket, and no file stays open", async () => {
  await using balancer = balancerWith({});
  for (let round = 0; round < 50; round++) {
    using client = await balancer.connect();
    await send(client, encode(request({ Upgrade: "x" })));
    await receiveAll(client);
  }
  await until(() => balancer.balancer.active === 0, "every connection is accounted for");
});

Deno.test("a client that closes within its handshake is answered 400", async () => {
  await using balancer = balancerWith({});
  using client = await balancer.connect();
  await send(client, encode("GET / HT"));
  await client.closeWrite();
  assertMatch(new TextDecoder().decode(await receiveAll(client)), /^HTTP\/1\.1 400 /);
});

Deno.test("a WebSocket inside a WebSocket is BAD_FRAME", async () => {
  await using balancer = balancerWith({});
  using socket = await RawWebSocket.open(balancer.port, wire({ payload: request() }));
  assertEquals(refusalCode((await socket.frame())?.payload ?? new Uint8Array()), 1);
});
