import { createServer, type TlsOptions } from "node:tls";
import type { Upstream } from "../../../lib/config/config.ts";
import { Deadlines } from "../../../lib/util/deadlines.ts";
import { TcpDuplex } from "../../../lib/transport/tcp.ts";
import { clientContext, secureUpstream, UpstreamContexts } from "../../../lib/transport/tls/client.ts";
import { parseProxyHeader } from "../../../lib/transport/proxy_protocol/header.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { Authority, Certificate, hasOpenssl } from "../../certificates.ts";
import { concat, ID, noise, receive, receiveAll, send, sha256 } from "../../bytes.ts";
import { refusalCode } from "../../clients.ts";
import { type Changes, configTo, startBalancer } from "../../fixture.ts";
import { startUpstream } from "../../upstreams.ts";
import { until } from "../../wait.ts";

const MIB_8 = 8 << 20;
const BROKEN = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

function test(name: string, fn: () => Promise<void>) {
  Deno.test({ name, ignore: !hasOpenssl, fn });
}

/** An upstream that speaks TLS and sends back what it gets. */
function startSecureEcho(certificate: Certificate) {
  const { cert, key } = certificate.files;
  const pem = { cert: Deno.readTextFileSync(cert), key: Deno.readTextFileSync(key) };
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...pem });
  const running: Promise<void>[] = [];
  const accepting = (async () => {
    try {
      for (;;) running.push(echo(await listener.accept()));
    } catch {
      // closed
    }
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(running);
    },
  };
}

async function echo(conn: Deno.TlsConn): Promise<void> {
  using _conn = conn;
  try {
    const buffer = new Uint8Array(64 << 10);
    for (let count; (count = await conn.read(buffer)) !== null;) await send(conn, buffer.subarray(0, count));
    await conn.closeWrite();
  } catch {
    // refused by the balancer, which is what the test then sees
  }
}

/** A balancer that speaks TLS to ID 1's upstream at `port`. */
function startBefore(port: number, tls: NonNullable<Upstream["tls"]>, changes: Changes = {}) {
  const routes = [{ id: "1", host: "127.0.0.1", port, tls }];
  return startBalancer(configTo(port, { routes, ...changes }));
}

test("8 MiB each way arrive whole over TLS to the upstream, after the client has finished too", async () => {
  await using certificate = await Certificate.create("upstream");
  await using upstream = startSecureEcho(certificate);
  await using balancer = startBefore(upstream.port, { ca: certificate.files.cert });
  using client = await balancer.connect();
  const bytes = concat(ID, noise(MIB_8));
  const sending = send(client, bytes).then(() => client.closeWrite());
  assertEquals(await sha256(await receiveAll(client)), await sha256(bytes));
  await sending;
});

test("the default speaks TLS to its upstream as well", async () => {
  await using certificate = await Certificate.create("upstream");
  await using upstream = startSecureEcho(certificate);
  const fallback = { host: "127.0.0.1", port: upstream.port, tls: { ca: certificate.files.cert } };
  await using balancer = startBalancer(configTo(9, { routes: [], default: fallback }));
  using client = await balancer.connect();
  await send(client, ID);
  assertEquals(await receive(client, ID.length), ID);
});

/** The code that a client gets whose upstream has this certificate. */
async function refusal(tls: (certificate: Certificate) => NonNullable<Upstream["tls"]>): Promise<number> {
  await using certificate = await Certificate.create("upstream");
  await using upstream = startSecureEcho(certificate);
  await using balancer = startBefore(upstream.port, tls(certificate));
  using client = await balancer.connect();
  await send(client, ID);
  return refusalCode(await receiveAll(client));
}

test("the upstream's certificate may be for server_name instead of its host", async () => {
  await using certificate = await Certificate.create("upstream");
  await using upstream = startSecureEcho(certificate);
  const tls = { ca: certificate.files.cert, server_name: "localhost" };
  await using balancer = startBefore(upstream.port, tls);
  using client = await balancer.connect();
  await send(client, ID);
  assertEquals(await receive(client, ID.length), ID);
});

test("an untrusted certificate is UPSTREAM_UNAVAILABLE", async () => {
  assertEquals(await refusal(() => true), 5);
});

test("a certificate for another name is UPSTREAM_UNAVAILABLE", async () => {
  assertEquals(await refusal(({ files }) => ({ ca: files.cert, server_name: "other.example.com" })), 5);
});

test("an upstream that speaks plain text is UPSTREAM_UNAVAILABLE", async () => {
  await using upstream = startUpstream((conn) => send(conn, new TextEncoder().encode("220 ready\r\n")));
  await using balancer = startBefore(upstream.port, true);
  using client = await balancer.connect();
  await send(client, ID);
  assertEquals(refusalCode(await receiveAll(client)), 5);
});

test("an upstream that never answers the handshake is UPSTREAM_UNAVAILABLE at the deadline, and closed", async () => {
  let ended = 0;
  await using upstream = startUpstream(async (conn) => {
    await receiveAll(conn).catch(() => {});
    ended += 1;
  });
  await using balancer = startBefore(upstream.port, true, { timeouts: { connect: 200 } });
  using client = await balancer.connect();
  await send(client, ID);
  assertEquals(refusalCode(await receiveAll(client)), 5);
  await until(() => ended === 1, "the upstream's connection is closed");
});

test("an upstream that asks for a certificate gets that of the route, and no other", async () => {
  await using authority = await Authority.create();
  const server = await authority.issue("upstream");
  const [cert, key, ca] = [server.cert, server.key, authority.ca].map((file) => Deno.readTextFileSync(file));
  const upstream = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true } as TlsOptions);
  upstream.on("secureConnection", (socket) => {
    socket.on("error", () => {}); // refused: seen at the client
    socket.pipe(socket);
  });
  upstream.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", () => resolve()));
  const { port } = upstream.address() as { port: number };
  const own = await authority.issue("switchyard");
  {
    await using balancer = startBefore(port, { ca: authority.ca, ...own });
    using client = await balancer.connect();
    await send(client, ID);
    assertEquals(await receive(client, ID.length), ID);
  }
  {
    await using balancer = startBefore(port, { ca: authority.ca });
    using client = await balancer.connect();
    await send(client, ID);
    const received = await receiveAll(client).catch(() => new Uint8Array());
    assert(received.length === 0 || received[0] === 3, "nothing is echoed");
  }
  await new Promise((resolve) => upstream.close(resolve));
});

test("a key that does not match the certificate for upstreams stops the start, with its name", async () => {
  await using certificate = await Certificate.create("one");
  await using other = await Certificate.create("other");
  const tls = { cert: certificate.files.cert, key: other.files.key };
  assertThrows(() => startBefore(9, tls), Error, `${other.files.key}: this private key does not match`);
});

test("a PROXY header goes to the upstream ahead of the TLS handshake", async () => {
  const got = Promise.withResolvers<Uint8Array>();
  await using upstream = startUpstream(async (conn) => got.resolve(await receive(conn, 29)));
  await using balancer = startBefore(upstream.port, true, { proxy_protocol: "v2" });
  using client = await balancer.connect();
  await send(client, ID);
  const bytes = await got.promise;
  const outcome = parseProxyHeader(bytes);
  assert(outcome.kind === "complete");
  assertEquals(bytes[outcome.length], 0x16);
});

Deno.test("a ca file that cannot be read stops the start, with its name", () => {
  const routes = [{ id: "1", host: "127.0.0.1", port: 9, tls: { ca: "/nowhere/ca.pem" } }];
  assertThrows(() => startBalancer(configTo(9, { routes })), Error, "/nowhere/ca.pem");
});

for (const [what, pem] of [["no certificate", "hello\n"], ["a broken one", BROKEN]] as const) {
  Deno.test(`a ca file that holds ${what} stops the start, with its name`, async () => {
    const ca = await Deno.makeTempFile();
    await Deno.writeTextFile(ca, pem);
    const routes = [{ id: "1", host: "127.0.0.1", port: 9, tls: { ca } }];
    assertThrows(() => startBalancer(configTo(9, { routes })), Error, ca);
    await Deno.remove(ca);
  });
}

Deno.test("TLS that the platform refuses to begin leaves no socket open", async () => {
  await using upstream = startUpstream(async (conn) => void await receiveAll(conn));
  const deadlines = new Deadlines(1000);
  const raw = new TcpDuplex(await Deno.connect({ hostname: "127.0.0.1", port: upstream.port }));
  const trusted = Object.assign(new UpstreamContexts([]), { of: () => clientContext(BROKEN) });
  await assertRejects(() => secureUpstream(raw, { host: "localhost", port: 1 }, trusted, deadlines));
  raw.close();
  deadlines.close();
});
