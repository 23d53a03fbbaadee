/** What TLS leaves open, seen from outside: a process of its own. */

import { connect, type Socket } from "node:net";
import { assert, assertEquals } from "../assert.ts";
import { ID, receive, receiveAll, send } from "../bytes.ts";
import { Certificate, hasOpenssl } from "../certificates.ts";
import { refusalCode } from "../clients.ts";
import { configTo, startBalancer } from "../fixture.ts";
import { openSockets } from "../sockets.ts";
import { sized } from "../soak.ts";
import { startEcho, startUpstream } from "../upstreams.ts";
import { pause, until } from "../wait.ts";
import { start } from "../e2e/processes.ts";

const CLIENTS = sized(3000);

Deno.test({
  name:
    "50 TLS clients of each kind later as few files are open as before, and an open connection is not affected",
  ignore: !hasOpenssl || Deno.build.os !== "linux",
  async fn() {
    await using certificate = await Certificate.create("first");
    await using upstream = startEcho();
    const config = `${certificate.files.cert}.yaml`;
    await Deno.writeTextFile(
      config,
      `listeners: [{ address: "127.0.0.1:0", tls: { cert: cert.pem, key: key.pem } }]
routes: [{ id: 1, host: 127.0.0.1, port: ${upstream.port} }]
timeouts: { id: 2s }
`,
    );
    await using balancer = start({ command: [] }, ["serve", "-c", config]);
    await balancer.stderr.until("listening on");
    const [, port = ""] = /listening on [^"\n]*:(\d+)/.exec(balancer.stderr.text) ?? [];
    const at = { hostname: "localhost", port: Number(port) };
    const secure = () => Deno.connectTls({ ...at, caCerts: [certificate.pem] });
    const openFiles = () => [...Deno.readDirSync(`/proc/${balancer.pid}/fd`)].length;
    using staying = await secure();
    await send(staying, ID);
    assertEquals(await receive(staying, ID.length), ID);
    const before = openFiles();
    let untilDeadline = false;
    const kinds: (() => Promise<void>)[] = [
      async () => {
        using whole = await secure();
        await send(whole, ID);
        assertEquals(await receive(whole, ID.length), ID);
      },
      async () => {
        using plain = await Deno.connect({ hostname: "127.0.0.1", port: at.port });
        await send(plain, ID);
        assertEquals((await receiveAll(plain))[0], 3);
      },
      async () => {
        using hanging = await Deno.connect({ hostname: "127.0.0.1", port: at.port });
        await send(hanging, Uint8Array.of(0x16, 3, 1, 2, 0, 1));
        if (untilDeadline) await receiveAll(hanging);
      },
      async () => {
        using distrusting = await Deno.connectTls(at);
        await distrusting.handshake().catch(() => {});
      },
    ];
    for (let round = 0; round < 10; round++) {
      untilDeadline = round === 9;
      await Promise.all(kinds.flatMap((kind) => Array.from({ length: 5 }, kind)));
    }
    await until(() => openFiles() <= before, "every socket is released");
    await send(staying, Uint8Array.of(7));
    assertEquals(await receive(staying, 1), Uint8Array.of(7));
    assert(!balancer.stderr.text.includes("ERROR"), balancer.stderr.text);
  },
});

/** A ClientHello, as a client of the platform sends it. */
async function clientHello(): Promise<Uint8Array> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const dialing = Deno.connectTls({ hostname: "localhost", port: listener.addr.port });
  using accepted = await listener.accept();
  using dialed = await dialing;
  dialed.handshake().catch(() => {}); // never answered
  const buffer = new Uint8Array(4096);
  return buffer.slice(0, await accepted.read(buffer) ?? 0);
}

Deno.test({
  name:
    `${CLIENTS} clients that give up at every stage of a TLS connection leave no socket, no connection and no timer`,
  ignore: !hasOpenssl || Deno.build.os !== "linux",
  async fn() {
    await using certificate = await Certificate.create("first");
    await using upstream = startEcho();
    const listeners = [{ address: { host: "127.0.0.1", port: 0 }, tls: certificate.files }];
    const routes = [{ id: "1", host: "127.0.0.1", port: upstream.port }];
    // the leak sanitizers of the test runner count timers and pending operations
    await using balancer = startBalancer(
      configTo(upstream.port, { listeners, routes, limits: { connections: 0 }, timeouts: { id: 60_000 } }),
    );
    const hello = await clientHello();
    const at = { hostname: "127.0.0.1", port: balancer.port };
    const secure = () => Deno.connectTls({ ...at, hostname: "localhost", caCerts: [certificate.pem] });
    const kinds: ((index: number) => Promise<void>)[] = [
      async () => {
        using client = await Deno.connect(at);
        await send(client, hello);
      },
      async (index) => {
        using client = await Deno.connect(at);
        await send(client, hello.subarray(0, index % hello.length));
      },
      async (index) => {
        using client = await Deno.connect(at);
        const changed = hello.slice();
        changed[index % hello.length] = (changed[index % hello.length] ?? 0) ^ (1 + index % 255);
        await send(client, changed);
      },
      async () => {
        const client = await reset(at.port);
        client.write(hello);
        await pause(1);
        client.resetAndDestroy();
      },
      async () => {
        using client = await secure();
        await client.handshake();
      },
      async (index) => {
        using client = await secure();
        await send(client, ID);
        if (index % 2 === 0) await receive(client, ID.length);
        if (index % 3 === 0) await client.closeWrite();
      },
    ];
    for (let index = 0; index < CLIENTS; index += 30) {
      const round = Array.from({ length: 30 }, (_, lane) => kinds[lane % kinds.length]?.(index + lane));
      await Promise.allSettled(round);
    }
    await until(() => balancer.balancer.active === 0, "every connection has ended", 20_000);
    await until(() => openSockets(balancer.port, upstream.port) === 0, "every socket is closed", 20_000);
    using good = await secure();
    await send(good, ID);
    assertEquals(await receive(good, ID.length), ID);
  },
});

/** A connection that can be reset. */
async function reset(port: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => {}); // closed by the balancer
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  return socket;
}

Deno.test({
  name: "a client that is replaced while its upstream's TLS handshake hangs gets REPLACED",
  ignore: !hasOpenssl,
  async fn() {
    let begun = 0;
    await using upstream = startUpstream(async (conn) => {
      await receive(conn, 5);
      begun += 1;
      await receiveAll(conn);
    });
    const routes = [{ id: "1", host: "127.0.0.1", port: upstream.port, tls: true }];
    await using balancer = startBalancer(configTo(upstream.port, { routes, duplicate_id: "replace" }));
    using older = await balancer.connect();
    await send(older, ID);
    await until(() => begun === 1, "the handshake has begun");
    using newer = await balancer.connect();
    await send(newer, ID);
    assertEquals(refusalCode(await receiveAll(older)), 9);
  },
});
