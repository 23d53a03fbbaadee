import { parseConfig } from "../../../lib/config/parse.ts";
import { encodeProxyHeader, parseProxyHeader } from "../../../lib/transport/proxy_protocol/header.ts";
import { assert, assertEquals } from "../../assert.ts";
import { concat, ID, receive, receiveAll, send } from "../../bytes.ts";
import { refusalCode } from "../../clients.ts";
import { type Changes, configTo, startBalancer } from "../../fixture.ts";
import { startEcho, startUpstream } from "../../upstreams.ts";
import { pause, until } from "../../wait.ts";

const DESTINATION = { hostname: "10.0.0.1", port: 8888 };
const LOCAL = concat(new TextEncoder().encode("\r\n\r\n\0\r\nQUIT\n"), Uint8Array.of(0x20, 0, 0, 0));

/** A balancer whose listener trusts the address of tests, with ID 1 to `port`. */
function behindProxy(port: number, changes: Changes = {}, trusted = ["127.0.0.0/8"]) {
  const listeners = [{ address: { host: "127.0.0.1", port: 0 }, proxy_protocol: { trusted } }];
  return startBalancer(configTo(port, { listeners, ...changes }));
}

const headerFrom = (hostname: string, version: "v1" | "v2" = "v2") =>
  encodeProxyHeader(version, { source: { hostname, port: 12345 }, destination: DESTINATION });

for (const version of ["v1", "v2"] as const) {
  Deno.test(`a client behind a trusted proxy that sends PROXY ${version} is served, at every cut`, async () => {
    await using upstream = startEcho();
    await using balancer = behindProxy(upstream.port);
    const bytes = concat(headerFrom("192.0.2.7", version), ID, Uint8Array.of(9));
    for (let cut = 1; cut < bytes.length; cut++) {
      using client = await balancer.connect();
      client.setNoDelay(true);
      await send(client, bytes.subarray(0, cut));
      await pause(2);
      await send(client, bytes.subarray(cut));
      await client.closeWrite();
      assertEquals(await receiveAll(client), concat(ID, Uint8Array.of(9)));
    }
  });
}

Deno.test("a PROXY header, an ID frame and 1 MB in one write are delivered without the header", async () => {
  await using upstream = startEcho();
  await using balancer = behindProxy(upstream.port);
  using client = await balancer.connect();
  const body = concat(ID, new Uint8Array(1 << 20).fill(7));
  const sending = send(client, concat(headerFrom("192.0.2.7"), body)).then(() => client.closeWrite());
  assertEquals(await receiveAll(client), body);
  await sending;
});

async function refusal(changes: Changes, bytes: Uint8Array, trusted?: string[]): Promise<number> {
  await using balancer = behindProxy(9, changes, trusted);
  using client = await balancer.connect();
  await send(client, bytes);
  await client.closeWrite();
  return refusalCode(await receiveAll(client));
}

const refused: Record<string, [code: number, bytes: Uint8Array, changes?: Changes, trusted?: string[]]> = {
  "an ID frame from a trusted proxy, where a PROXY header is due": [1, ID],
  "a header cut short": [1, headerFrom("192.0.2.7").subarray(0, 20)],
  "a malformed header": [1, new TextEncoder().encode("PROXY TCP4 nonsense\r\n")],
  "a v1 header without an end": [1, new TextEncoder().encode(`PROXY TCP4 ${"1".repeat(200)}`)],
  "a second header": [1, concat(headerFrom("192.0.2.7"), headerFrom("192.0.2.8"), ID)],
  "a PROXY v1 header from an untrusted peer": [1, concat(headerFrom("10.9.9.9", "v1"), ID), {}, [
    "192.0.2.0/24",
  ]],
  "a PROXY v2 header from an untrusted peer": [1, concat(headerFrom("10.9.9.9"), ID), {}, ["192.0.2.0/24"]],
  "a real address that is denied": [8, headerFrom("192.0.2.7"), { deny: ["192.0.2.0/24"] }],
  "a proxy's own address that is denied, once it says an ID for itself": [
    8,
    concat(LOCAL, ID),
    { deny: ["127.0.0.1"] },
  ],
};

for (const [what, [code, bytes, changes, trusted]] of Object.entries(refused)) {
  Deno.test(`${what} is refused`, async () =>
    assertEquals(await refusal(changes ?? {}, bytes, trusted), code));
}

Deno.test("a PROXY header at a listener without proxy_protocol is refused, whole or cut after a byte", async () => {
  await using balancer = startBalancer(configTo(9));
  for (const header of [headerFrom("192.0.2.7"), headerFrom("192.0.2.7", "v1"), Uint8Array.of(0x0d)]) {
    using client = await balancer.connect();
    await send(client, concat(header, header.length > 1 ? ID : new Uint8Array()));
    assertEquals(refusalCode(await receiveAll(client)), 1);
  }
});

Deno.test("the proxy's own address may be denied while the client's is allowed", async () => {
  await using upstream = startEcho();
  await using balancer = behindProxy(upstream.port, { deny: ["127.0.0.1"] });
  using client = await balancer.connect();
  await send(client, concat(headerFrom("192.0.2.7"), ID));
  assertEquals(await receive(client, ID.length), ID);
});

Deno.test("limits by address apply to the client's address", async () => {
  await using upstream = startEcho();
  await using balancer = behindProxy(upstream.port, { limits: { connections_per_ip: 1 } });
  const join = async (address: string) => {
    const client = await balancer.connect();
    await send(client, concat(headerFrom(address), ID));
    return client;
  };
  using first = await join("192.0.2.7");
  assertEquals(await receive(first, ID.length), ID);
  using other = await join("192.0.2.8");
  assertEquals(await receive(other, ID.length), ID);
  using second = await join("192.0.2.7");
  assertEquals(refusalCode(await receiveAll(second)), 6);
});

Deno.test("timeouts.id covers the PROXY header", async () => {
  await using balancer = behindProxy(9, { timeouts: { id: 300 } });
  using client = await balancer.connect();
  await send(client, headerFrom("192.0.2.7").subarray(0, 3));
  assertEquals(refusalCode(await receiveAll(client)), 3);
});

Deno.test("probes, with a PROXY header or without, leave nothing open", async () => {
  await using balancer = behindProxy(9);
  for (const bytes of [new Uint8Array(), LOCAL, headerFrom("192.0.2.7"), headerFrom("192.0.2.7", "v1")]) {
    using client = await balancer.connect();
    await send(client, bytes);
    await client.closeWrite();
    assertEquals((await receiveAll(client)).length, 0);
  }
  await until(() => balancer.balancer.active === 0, "all have ended");
});

for (const version of ["v1", "v2"] as const) {
  Deno.test(`proxy_protocol: ${version} tells the upstream whose connection it is, ahead of the ID frame`, async () => {
    const got = Promise.withResolvers<Uint8Array>();
    await using upstream = startUpstream(async (conn) => got.resolve(await receiveAll(conn)));
    await using balancer = startBalancer(configTo(upstream.port, { proxy_protocol: version }));
    using client = await balancer.connect();
    await send(client, concat(ID, Uint8Array.of(9)));
    await client.closeWrite();
    const bytes = await got.promise;
    const outcome = parseProxyHeader(bytes);
    assert(outcome.kind === "complete");
    const { localAddr, remoteAddr } = client;
    const ends = ({ hostname, port }: Deno.NetAddr) => ({ hostname, port });
    assertEquals(outcome.endpoints, { source: ends(localAddr), destination: ends(remoteAddr) });
    assertEquals(bytes.subarray(outcome.length), concat(ID, Uint8Array.of(9)));
  });
}

Deno.test("proxy_protocol passes the addresses from a trusted proxy to the upstream", async () => {
  const got = Promise.withResolvers<Uint8Array>();
  await using upstream = startUpstream(async (conn) => got.resolve(await receiveAll(conn)));
  await using balancer = behindProxy(upstream.port, { proxy_protocol: "v2" });
  using client = await balancer.connect();
  await send(client, concat(headerFrom("2001:db8::7"), ID));
  await client.closeWrite();
  assertEquals(await got.promise, concat(headerFrom("2001:db8::7"), ID));
});

Deno.test("proxy_protocol: true and a trusted proxy by name are refused", () => {
  const problem = (text: string) => {
    try {
      parseConfig(`routes: []\n${text}`, "f");
    } catch (error) {
      return String(error);
    }
  };
  assert(problem("proxy_protocol: true")?.includes("v1, v2 or false"));
  assert(
    problem("listeners: [{ address: ':1', proxy_protocol: { trusted: [lb] } }]")?.includes("trusted[0]"),
  );
  assert(
    problem("listeners: [{ address: ':1', proxy_protocol: { trusted: [] } }]")?.includes("at least one"),
  );
});
