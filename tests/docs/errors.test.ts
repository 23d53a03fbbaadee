/** docs/errors.md is complete, and its messages are those that clients, logs and command lines show. */

import type { Config } from "../../lib/config/config.ts";
import { REFUSAL_CODES } from "../../lib/errors.ts";
import { decodeError, encodeFrame, encodeId, HEADER_BYTES } from "../../lib/frame/tlv.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { run } from "../cli/command.ts";
import { receiveAll, send } from "../bytes.ts";
import { configTo, startBalancer } from "../fixture.ts";
import { startUpstream } from "../upstreams.ts";
import { until } from "../wait.ts";

const page = await Deno.readTextFile(new URL("../../docs/errors.md", import.meta.url));

/** The section of an ERROR code. */
function section(name: keyof typeof REFUSAL_CODES): string {
  const [, text = ""] = page.split(`\n### ${REFUSAL_CODES[name]} ${name}\n`);
  return text.split("\n#")[0] ?? "";
}

/** `text` without numbers and line ends, for comparing. */
function plain(text: string): string {
  return text.replace(/\s+/g, " ").replace(/\d+(\.\d+)*(ms|s|m|h)?\b/g, "N");
}

for (const name of Object.keys(REFUSAL_CODES) as (keyof typeof REFUSAL_CODES)[]) {
  Deno.test(`the page has for ${name} the client's error, the log's line and advice`, () => {
    for (const part of ["**the client gets**", "**the log has**", "what to do"]) {
      assertStringIncludes(section(name).toLowerCase(), part);
    }
  });
}

/** The code and the text that a client gets that sends only `bytes`. */
async function refusal(bytes: Uint8Array, changes: Partial<Config>, port = 9): Promise<[number, string]> {
  await using balancer = startBalancer(configTo(port, changes));
  using client = await balancer.connect();
  await send(client, bytes);
  if (bytes.length === 3) await client.closeWrite();
  const { code, text } = decodeError((await receiveAll(client)).subarray(HEADER_BYTES));
  return [code, text];
}

const { timeouts, limits } = configTo(9);
const routes = [{ id: "1", host: "no-such-host.invalid", port: 1 }];
const PROVOKED: readonly [keyof typeof REFUSAL_CODES, Uint8Array, Partial<Config>][] = [
  ["BAD_FRAME", Uint8Array.of(0), {}],
  ["BAD_FRAME", encodeId("x".repeat(256)), {}],
  ["BAD_FRAME", encodeId(""), {}],
  ["BAD_FRAME", encodeFrame(1, Uint8Array.of(0xff)), {}],
  ["BAD_FRAME", encodeId("1\n"), {}],
  ["BAD_FRAME", Uint8Array.of(1, 0, 0), {}],
  ["ID_EXPECTED", encodeFrame(2, Uint8Array.of(1)), {}],
  ["ID_TIMEOUT", Uint8Array.of(1), { timeouts: { ...timeouts, id: 50 } }],
  ["UNKNOWN_ID", encodeId("9"), {}],
  ["UPSTREAM_UNAVAILABLE", encodeId("1"), {}],
  ["UPSTREAM_UNAVAILABLE", encodeId("1"), { routes, timeouts: { ...timeouts, connect: 4000 } }],
  ["FORBIDDEN", encodeId("1"), { deny: ["127.0.0.0/8"] }],
];

for (const [index, [name, bytes, changes]] of PROVOKED.entries()) {
  Deno.test(`the page gives the words of ${name} to clients (${index})`, async () => {
    const [code, text] = await refusal(bytes, changes);
    assertEquals(code, REFUSAL_CODES[name]);
    for (const part of text.split(/: (?=it|connecting)/)) {
      assertStringIncludes(plain(section(name)), `\`${plain(part)}\``);
    }
  });
}

const CROWDED: readonly Partial<Config>[] = [
  { limits: { ...limits, connections_per_ip: 1 } },
  { limits: { ...limits, connection_rate_per_ip: 1 } },
  { limits: { ...limits, connections_per_id: 1 } },
  { limits: { ...limits, connections: 1 } },
  { duplicate_id: "reject" },
  { duplicate_id: "replace" },
];

for (const changes of CROWDED) {
  Deno.test(`the page gives the words to a client that meets ${JSON.stringify(changes)}`, async () => {
    let reached = 0;
    await using upstream = startUpstream(async (conn) => {
      reached += 1;
      await receiveAll(conn);
    });
    await using balancer = startBalancer(configTo(upstream.port, changes));
    using first = await balancer.connect();
    await send(first, encodeId("1"));
    await until(() => reached === 1, "the first is there");
    using second = await balancer.connect();
    await send(second, encodeId("1"));
    const replaced = changes.duplicate_id === "replace";
    const bytes = await receiveAll(replaced ? first : second);
    const { code, text } = decodeError(bytes.subarray(HEADER_BYTES));
    const name = replaced ? "REPLACED" : "LIMIT_EXCEEDED";
    assertEquals(code, REFUSAL_CODES[name]);
    assertStringIncludes(plain(section(name)), `\`${plain(text)}\``);
  });
}

/** The rows of the table of command lines. */
const ROWS = [...page.matchAll(/^\| `switchyard ([^`]+)` +\| (\d) +\| `([^`]+)` +\|$/gm)];

for (const [, line = "", status, said = ""] of ROWS) {
  Deno.test(`switchyard ${line} prints the message on the page, and exits with ${status}`, async () => {
    const ran = await run(...line.split(" "));
    assertEquals([ran.status, ran.err.length], [Number(status), 1], ran.err.join("\n"));
    assertStringIncludes(plain(ran.err[0] ?? ""), plain(said));
  });
}

Deno.test("the table of command lines was found", () => assertEquals(ROWS.length >= 13, true));
