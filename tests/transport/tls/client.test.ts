import { TcpDuplex } from "../../../lib/transport/tcp.ts";
import { clientContext, secureUpstream, UpstreamContexts } from "../../../lib/transport/tls/client.ts";
import { Deadlines } from "../../../lib/util/deadlines.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { concat, ID, noise, receiveAll, send, sha256 } from "../../bytes.ts";
import { Authority, Certificate, tlsTest } from "../../certificates.ts";
import { identify } from "../../clients.ts";
import { startUpstream } from "../../upstreams.ts";
import { startDemanding, startSecureEcho, startSecuring } from "./path.ts";

const MIB_8 = 8 << 20;
const BROKEN = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

tlsTest(
  "8 MiB each way arrive whole over TLS to the upstream, after the client has finished too",
  async () => {
    await using certificate = await Certificate.create("upstream");
    await using upstream = startSecureEcho(certificate);
    await using balancer = startSecuring(upstream.port, { ca: certificate.files.cert });
    using client = await balancer.connect();
    const bytes = concat(ID, noise(MIB_8));
    const sending = send(client, bytes).then(() => client.closeWrite());
    assertEquals(await sha256(await receiveAll(client)), await sha256(bytes));
    await sending;
  },
);

tlsTest("the default speaks TLS to its upstream as well", async () => {
  await using certificate = await Certificate.create("upstream");
  await using upstream = startSecureEcho(certificate);
  const fallback = { host: "127.0.0.1", port: upstream.port, tls: { ca: certificate.files.cert } };
  await using balancer = startSecuring(9, true, { routes: [], default: fallback });
  using client = await balancer.connect();
  await identify(client);
});

tlsTest("the upstream's certificate may be for server_name instead of its host", async () => {
  await using certificate = await Certificate.create("upstream");
  await using upstream = startSecureEcho(certificate);
  const tls = { ca: certificate.files.cert, server_name: "localhost" };
  await using balancer = startSecuring(upstream.port, tls);
  using client = await balancer.connect();
  await identify(client);
});

tlsTest("an upstream that asks for a certificate gets that of the route, and no other", async () => {
  await using authority = await Authority.create();
  await using upstream = await startDemanding(authority);
  const own = await authority.issue("switchyard");
  {
    await using balancer = startSecuring(upstream.port, { ca: authority.ca, ...own });
    using client = await balancer.connect();
    await identify(client);
  }
  {
    await using balancer = startSecuring(upstream.port, { ca: authority.ca });
    using client = await balancer.connect();
    await send(client, ID);
    const received = await receiveAll(client).catch(() => new Uint8Array());
    assert(received.length === 0 || received[0] === 3, "nothing is echoed");
  }
});

tlsTest(
  "a key that does not match the certificate for upstreams stops the start, with its name",
  async () => {
    await using certificate = await Certificate.create("one");
    await using other = await Certificate.create("other");
    const tls = { cert: certificate.files.cert, key: other.files.key };
    assertThrows(() => startSecuring(9, tls), Error, `${other.files.key}: this private key does not match`);
  },
);

Deno.test("a ca file that cannot be read stops the start, with its name", () => {
  assertThrows(() => startSecuring(9, { ca: "/nowhere/ca.pem" }), Error, "/nowhere/ca.pem");
});

for (const [what, pem] of [["no certificate", "hello\n"], ["a broken one", BROKEN]] as const) {
  Deno.test(`a ca file that holds ${what} stops the start, with its name`, async () => {
    const ca = await Deno.makeTempFile();
    await Deno.writeTextFile(ca, pem);
    assertThrows(() => startSecuring(9, { ca }), Error, ca);
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
