import type { HealthCheck } from "../../lib/config/config.ts";
import { checkServer } from "../../lib/connection/check_server.ts";
import { Dialing } from "../../lib/connection/dialing.ts";
import { Server } from "../../lib/upstream/server.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import { ID, receive, send } from "../bytes.ts";
import { configTo } from "../fixture.ts";
import { startUpstream } from "../upstreams.ts";
import { silentTest } from "../silent.ts";

const CHECK: HealthCheck = { interval: 1000, timeout: 60_000, fall: 1, rise: 1 };
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Checks 127.0.0.1:`port` once. */
async function checkOnce(
  port: number,
  changes: Partial<HealthCheck> = {},
  version?: "v1" | "v2",
  signal = new AbortController().signal,
) {
  const dialing = new Dialing({ observer: { serverChanged: () => {} } });
  const settings = dialing.settings(configTo(9, { proxy_protocol: version ?? false }));
  await checkServer(new Server({ host: "127.0.0.1", port }), { ...CHECK, ...changes }, settings, signal);
}

/** An upstream that answers each connection with `answer`, and the requests it has received. */
function startAnswering(answer: string, request: number) {
  const received: Uint8Array[] = [];
  const upstream = startUpstream(async (conn) => {
    received.push(await receive(conn, request));
    await send(conn, utf8(answer));
    await conn.closeWrite();
  });
  return { upstream, received };
}

Deno.test("without a text to send or to expect, a connection is enough", async () => {
  await using upstream = startUpstream(async () => {});
  await checkOnce(upstream.port);
});

Deno.test("a server that refuses fails the check", async () => {
  const upstream = startUpstream(async () => {});
  await upstream[Symbol.asyncDispose]();
  await assertRejects(() => checkOnce(upstream.port), Error, "refused");
});

Deno.test("the text is sent, and the expected one may be anywhere in the answer", async () => {
  const { upstream, received } = startAnswering("well: PONG!", 4);
  await using _upstream = upstream;
  await checkOnce(upstream.port, { send: "PING", expect: "PONG" });
  assertEquals(received, [utf8("PING")]);
});

Deno.test("another answer fails the check, and the error quotes both", async () => {
  await using upstream = startAnswering("no", 4).upstream;
  await assertRejects(
    () => checkOnce(upstream.port, { send: "PING", expect: "PONG" }),
    Error,
    'it answered "no", expected "PONG"',
  );
});

Deno.test("an ID is sent as an ID frame", async () => {
  const { upstream, received } = startAnswering("ok", ID.length);
  await using _upstream = upstream;
  await checkOnce(upstream.port, { id: "1", expect: "ok" });
  assertEquals(received, [ID]);
});

for (const [version, header] of [["v1", utf8("PROXY UNKNOWN\r\n")], ["v2", undefined]] as const) {
  Deno.test(`if servers expect a PROXY header (${version}), a check begins with one of its own`, async () => {
    const { upstream, received } = startAnswering("ok", header?.length ?? 16);
    await using _upstream = upstream;
    await checkOnce(upstream.port, { expect: "ok" }, version);
    const signature = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];
    assertEquals(received, [header ?? Uint8Array.of(...signature, 0x20, 0, 0, 0)]);
  });
}

Deno.test("a server that never answers fails the check at its timeout", async () => {
  await using upstream = startUpstream(async (conn) => void await receive(conn, 100));
  await assertRejects(
    () => checkOnce(upstream.port, { send: "PING", expect: "PONG", timeout: 50 }),
    Error,
    'it did not answer "PONG" within 50ms',
  );
});

silentTest(
  "a server that does not accept fails the check at its timeout, and its connect is cancelled",
  async (silent) => {
    await assertRejects(() => checkOnce(silent.port, { timeout: 50 }), Error, "no answer within 50ms");
    await silent.untilCancelled();
  },
);

Deno.test("a check that is aborted ends at once", async () => {
  const asked = Promise.withResolvers<void>();
  await using upstream = startUpstream(async (conn) => {
    await receive(conn, 4);
    asked.resolve();
    await receive(conn, 100);
  });
  const aborted = new AbortController();
  const check = checkOnce(upstream.port, { send: "PING", expect: "PONG" }, undefined, aborted.signal);
  await asked.promise;
  aborted.abort();
  await assertRejects(() => check, Error, "PONG");
});
