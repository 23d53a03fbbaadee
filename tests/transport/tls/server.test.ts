import { TcpDuplex } from "../../../lib/transport/tcp.ts";
import { TlsServer } from "../../../lib/transport/tls/server.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../../assert.ts";
import { concat, ID, noise, receive, receiveAll, send, sha256 } from "../../bytes.ts";
import { Certificate, openssl, tlsTest } from "../../certificates.ts";
import { configTo, startBalancer } from "../../fixture.ts";
import { startEcho, startUpstream } from "../../upstreams.ts";
import { pause, until } from "../../wait.ts";
import { startSecure } from "./path.ts";

const MIB_8 = 8 << 20;

tlsTest(
  "8 MiB each way at once arrive whole over TLS, and close_notify ends each direction",
  async () => {
    await using certificate = await Certificate.create("first");
    const [up, down] = [noise(MIB_8, 1), noise(MIB_8, 2)];
    const got = Promise.withResolvers<string>();
    await using upstream = startUpstream(async (conn) => {
      const all = receiveAll(conn).then((bytes) => sha256(bytes.subarray(ID.length)));
      await send(conn, down);
      await conn.closeWrite();
      got.resolve(await all);
    });
    await using balancer = startSecure(certificate, upstream.port);
    using client = await balancer.secure();
    const sending = send(client, concat(ID, up)).then(() => client.closeWrite());
    assertEquals(await sha256(await receiveAll(client)), await sha256(down));
    await sending;
    assertEquals(await got.promise, await sha256(up));
  },
);

tlsTest("a TLS client that has finished sending still gets 8 MiB", async () => {
  await using certificate = await Certificate.create("first");
  const down = noise(MIB_8);
  await using upstream = startUpstream(async (conn) => {
    await receiveAll(conn);
    await send(conn, down);
  });
  await using balancer = startSecure(certificate, upstream.port);
  using client = await balancer.secure();
  await send(client, ID);
  await client.closeWrite();
  assertEquals(await sha256(await receiveAll(client)), await sha256(down));
});

tlsTest("an upstream that has finished sending still gets 8 MiB from a TLS client", async () => {
  await using certificate = await Certificate.create("first");
  const up = noise(MIB_8);
  const got = Promise.withResolvers<string>();
  await using upstream = startUpstream(async (conn) => {
    await conn.closeWrite();
    got.resolve(await sha256((await receiveAll(conn)).subarray(ID.length)));
  });
  await using balancer = startSecure(certificate, upstream.port);
  using client = await balancer.secure();
  await send(client, ID);
  assertEquals((await receiveAll(client)).length, 0);
  await send(client, up);
  await client.closeWrite();
  assertEquals(await got.promise, await sha256(up));
});

tlsTest("TLS 1.2 and 1.3 are spoken, 1.1 is not", async () => {
  await using certificate = await Certificate.create("first");
  await using balancer = startSecure(certificate, 9);
  const handshake = (version: string) =>
    openssl(
      "s_client",
      "-connect",
      `127.0.0.1:${balancer.port}`,
      `-${version}`,
      "-cipher",
      "ALL:@SECLEVEL=0",
    );
  for (const [version, name] of [["tls1_2", "TLSv1.2"], ["tls1_3", "TLSv1.3"]] as const) {
    assertStringIncludes((await handshake(version)).stdout, `New, ${name}`);
  }
  assertStringIncludes((await handshake("tls1_1")).stdout, "New, (NONE)");
});

tlsTest("a certificate renewed again and again under load is used, and no connection fails", async () => {
  await using certificate = await Certificate.create("first");
  await using upstream = startEcho();
  await using balancer = startSecure(certificate, upstream.port);
  const renewals = await Promise.all([1, 2, 3, 4, 5].map((index) => Certificate.create(`renewal ${index}`)));
  // all from the start, since a renewal may happen while a client connects
  const trusted = [certificate, ...renewals].map(({ pem }) => pem);
  const long = await balancer.secure();
  await send(long, ID);
  assertEquals(await receive(long, ID.length), ID);
  let [done, over] = [0, false];
  const load = Promise.all(Array.from({ length: 4 }, async () => {
    while (!over) {
      using client = await balancer.secure(trusted);
      await send(client, ID);
      assertEquals(await receive(client, ID.length), ID);
      done += 1;
    }
  }));
  load.catch(() => {}); // awaited below
  for (const [index, { files }] of renewals.entries()) {
    const before = done;
    await Deno.rename(files.key, certificate.files.key);
    await Deno.rename(files.cert, certificate.files.cert);
    await balancer.balancer.reload(balancer.config);
    const { stdout } = await openssl("s_client", "-connect", `127.0.0.1:${balancer.port}`);
    assertStringIncludes(stdout, `CN = renewal ${index + 1}`);
    await until(() => done > before + 10, "clients come and go");
  }
  over = true;
  await load;
  await send(long, Uint8Array.of(7));
  assertEquals(await receive(long, 1), Uint8Array.of(7));
  long.close();
  for (const renewal of renewals) await renewal[Symbol.asyncDispose]();
});

tlsTest("certificate files are reread without a signal, and unusable ones are ignored", async () => {
  await using certificate = await Certificate.create("first");
  const server = new TlsServer("here", certificate.files, { checkMs: 20 });
  try {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const used = async () => {
      const connecting = openssl("s_client", "-connect", `127.0.0.1:${listener.addr.port}`);
      const opened = await server.accept(new TcpDuplex(await listener.accept()));
      await opened?.handshake();
      const { stdout } = await connecting;
      opened?.close();
      return /subject=CN = (.*)/.exec(stdout)?.[1];
    };
    assertEquals(await used(), "first");
    const { cert } = certificate.files;
    await Deno.writeTextFile(cert, certificate.pem.slice(0, 200));
    await pause(100);
    assertEquals(await used(), "first");
    await certificate.renew("second");
    for (let tries = 0; await used() !== "second"; tries++) assert(tries < 50, "the new one is not in use");
    listener.close();
  } finally {
    server[Symbol.dispose]();
    await server.refresh(); // a check may be under way
  }
});

tlsTest("a certificate that cannot be used stops the start, with its file named", async () => {
  await using certificate = await Certificate.create("first");
  await using other = await Certificate.create("other");
  const start = (tls: { cert: string; key: string }) => () =>
    startBalancer(configTo(9, { listeners: [{ address: { host: "127.0.0.1", port: 0 }, tls }] }));
  const { cert, key } = certificate.files;
  assertThrows(start({ cert: `${cert}.none`, key }), Error, `${cert}.none`);
  assertThrows(start({ cert, key: other.files.key }), Error, other.files.key);
  assertThrows(start({ cert, key: cert }), Error, "holds no usable private key in PEM");
});
