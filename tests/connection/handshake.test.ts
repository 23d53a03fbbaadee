/** What a client may send first: TLS, a PROXY header, an HTTP request, an ID frame. */

import { encodeProxyHeader } from "../../lib/transport/proxy_protocol/header.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { concat, ID, noise, receive, receiveAll, send } from "../bytes.ts";
import { Certificate, tlsTest } from "../certificates.ts";
import { refusalCode, webSocketOver } from "../clients.ts";
import { configTo, startBalancer } from "../fixture.ts";
import { startSecure } from "../transport/tls/path.ts";
import { startEcho } from "../upstreams.ts";
import { until } from "../wait.ts";

tlsTest("an ERROR frame arrives whole over TLS, even after 1 MB of unread data", async () => {
  await using certificate = await Certificate.create("first");
  await using balancer = startSecure(certificate, 9, { routes: [] });
  using client = await balancer.secure();
  await send(client, concat(ID, noise(1 << 20)));
  assertEquals(refusalCode(await receiveAll(client)), 4);
});

tlsTest("plain text at a TLS listener gets BAD_FRAME in plain text", async () => {
  await using certificate = await Certificate.create("first");
  await using balancer = startSecure(certificate, 9);
  for (const bytes of [ID, new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")]) {
    using client = await balancer.connect();
    await send(client, bytes);
    const received = await receiveAll(client);
    assertEquals(refusalCode(received), 1);
    assertStringIncludes(new TextDecoder().decode(received), "expects TLS");
  }
});

tlsTest("TLS at a plain listener gets BAD_FRAME that names it", async () => {
  await using balancer = startBalancer(configTo(9));
  using client = await balancer.connect();
  await send(client, Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01));
  const received = await receiveAll(client);
  assertEquals(refusalCode(received), 1);
  assertStringIncludes(new TextDecoder().decode(received), "looks like TLS");
});

tlsTest("a handshake that is never completed ends at the deadline for the ID", async () => {
  await using certificate = await Certificate.create("first");
  await using balancer = startSecure(certificate, 9, { timeouts: { id: 200 } });
  using client = await balancer.connect();
  const started = performance.now();
  await send(client, Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01));
  await receiveAll(client);
  assert(performance.now() - started < 20_000, "no other limit is as short");
  await until(() => balancer.balancer.active === 0, "nothing is left open");
});

tlsTest(
  "probes of a TLS listener leave nothing open: a bare connection, half a handshake, a handshake alone",
  async () => {
    await using certificate = await Certificate.create("first");
    await using balancer = startSecure(certificate, 9);
    (await balancer.connect()).close();
    {
      using half = await balancer.connect();
      await send(half, Uint8Array.of(0x16, 0x03, 0x01));
    }
    const whole = await balancer.secure();
    await whole.handshake();
    whole.close();
    await until(() => balancer.balancer.active === 0, "all have ended");
  },
);

tlsTest("a PROXY header comes ahead of the TLS handshake", async () => {
  await using certificate = await Certificate.create("first");
  await using upstream = startEcho();
  const deny = ["192.0.2.0/24"];
  await using balancer = startSecure(certificate, upstream.port, { deny }, ["127.0.0.1"]);
  const behind = async (hostname: string) => {
    const tcp = await balancer.connect();
    const destination = { hostname: "10.0.0.1", port: 1 };
    await send(tcp, encodeProxyHeader("v2", { source: { hostname, port: 1 }, destination }));
    return tcp;
  };
  using client = await Deno.startTls(await behind("198.51.100.7"), {
    hostname: "localhost",
    caCerts: [certificate.pem],
  });
  await send(client, ID);
  assertEquals(await receive(client, ID.length), ID);
  using denied = await behind("192.0.2.7");
  assertEquals(refusalCode(await receiveAll(denied)), 8);
});

tlsTest("WebSocket is spoken over TLS", async () => {
  await using certificate = await Certificate.create("first");
  await using upstream = startEcho();
  await using balancer = startSecure(certificate, upstream.port);
  using client = await balancer.secure();
  const socket = await webSocketOver(client, balancer.port);
  await send(socket, concat(ID, Uint8Array.of(9)));
  await socket.closeWrite();
  assertEquals(await receiveAll(socket), concat(ID, Uint8Array.of(9)));
  socket.close();
});
