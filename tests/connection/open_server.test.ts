/** Connections to servers with TLS: each failure, and the PROXY header ahead of the handshake. */

import type { Upstream } from "../../lib/config/config.ts";
import { parseProxyHeader } from "../../lib/transport/proxy_protocol/header.ts";
import { assert, assertEquals } from "../assert.ts";
import { ID, receive, receiveAll, send } from "../bytes.ts";
import { Certificate, tlsTest } from "../certificates.ts";
import { refusalCode, refused } from "../clients.ts";
import { startSecureEcho, startSecuring } from "../transport/tls/path.ts";
import { startUpstream } from "../upstreams.ts";
import { until } from "../wait.ts";

/** The code of the refusal of a client whose upstream has a certificate, with these settings. */
async function refusal(tls: (certificate: Certificate) => NonNullable<Upstream["tls"]>): Promise<number> {
  await using certificate = await Certificate.create("upstream");
  await using upstream = startSecureEcho(certificate);
  await using balancer = startSecuring(upstream.port, tls(certificate));
  using client = await balancer.connect();
  return await refused(client);
}

tlsTest("an untrusted certificate is UPSTREAM_UNAVAILABLE", async () => {
  assertEquals(await refusal(() => true), 5);
});

tlsTest("a certificate for another name is UPSTREAM_UNAVAILABLE", async () => {
  assertEquals(await refusal(({ files }) => ({ ca: files.cert, server_name: "other.example.com" })), 5);
});

tlsTest("an upstream that speaks plain text is UPSTREAM_UNAVAILABLE", async () => {
  await using upstream = startUpstream((conn) => send(conn, new TextEncoder().encode("220 ready\r\n")));
  await using balancer = startSecuring(upstream.port, true);
  using client = await balancer.connect();
  assertEquals(await refused(client), 5);
});

tlsTest(
  "an upstream that never answers the handshake is UPSTREAM_UNAVAILABLE at the deadline, and closed",
  async () => {
    let ended = 0;
    await using upstream = startUpstream(async (conn) => {
      await receiveAll(conn).catch(() => {});
      ended += 1;
    });
    await using balancer = startSecuring(upstream.port, true, { timeouts: { connect: 200 } });
    using client = await balancer.connect();
    assertEquals(await refused(client), 5);
    await until(() => ended === 1, "the upstream's connection is closed");
  },
);

tlsTest("a PROXY header goes to the upstream ahead of the TLS handshake", async () => {
  const got = Promise.withResolvers<Uint8Array>();
  await using upstream = startUpstream(async (conn) => got.resolve(await receive(conn, 29)));
  await using balancer = startSecuring(upstream.port, true, { proxy_protocol: "v2" });
  using client = await balancer.connect();
  await send(client, ID);
  const bytes = await got.promise;
  const outcome = parseProxyHeader(bytes);
  assert(outcome.kind === "complete");
  assertEquals(bytes[outcome.length], 0x16);
});

tlsTest("a client that is replaced while its upstream's TLS handshake hangs gets REPLACED", async () => {
  let begun = 0;
  await using upstream = startUpstream(async (conn) => {
    await receive(conn, 5);
    begun += 1;
    await receiveAll(conn);
  });
  await using balancer = startSecuring(upstream.port, true, { duplicate_id: "replace" });
  using older = await balancer.connect();
  await send(older, ID);
  await until(() => begun === 1, "the handshake has begun");
  using newer = await balancer.connect();
  await send(newer, ID);
  assertEquals(refusalCode(await receiveAll(older)), 9);
});
