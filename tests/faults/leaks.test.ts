/** Connections that end in every way release their sockets, their timers and their permits. */

import { assertEquals } from "../assert.ts";
import { ID, receive, receiveAll, send } from "../bytes.ts";
import { Certificate, hasOpenssl } from "../certificates.ts";
import { identify, refused, webSocketOver } from "../clients.ts";
import { startEchoing } from "../fixture.ts";
import { openSockets, SHOWS_SOCKETS } from "../sockets.ts";
import { sized } from "../soak.ts";
import { countTimers } from "../timers.ts";
import { until } from "../wait.ts";

const PART = ID.subarray(0, 3);
/** The beginning of a TLS record that announces more than follows. */
const CLIENT_HELLO_PART = Uint8Array.of(0x16, 3, 1, 2, 0, 1);
/** Number of clients at the same time. */
const AT_ONCE = 50;
const TOTAL = sized(100_000, 0.01);

/** The balancer's ports, and its certificate. */
interface Ports {
  readonly raw: number;
  readonly tls: number;
  readonly ca: string;
}

type Client = (ports: Ports) => Promise<void>;

const dial = (port: number) => Deno.connect({ hostname: "127.0.0.1", port });
const dialTls = ({ tls, ca }: Ports) => Deno.connectTls({ hostname: "localhost", port: tls, caCerts: [ca] });

/** Closes without reading what the peer has sent, which the kernel turns into a reset. */
async function sendAndReset(port: number, bytes: Uint8Array, waitForEcho = false): Promise<void> {
  using client = await dial(port);
  await send(client, bytes);
  if (!waitForEcho) return;
  await receive(client, 1);
  await send(client, new Uint8Array(64 << 10));
}

/** Every way in which a client can come and go. */
const CLIENTS: Readonly<Record<string, Client>> = {
  async "a good one"({ raw }) {
    using client = await dial(raw);
    await identify(client);
  },
  async "half-closed"({ raw }) {
    using client = await dial(raw);
    await send(client, ID);
    await client.closeWrite();
    assertEquals(await receiveAll(client), ID);
  },
  async "one that says nothing"({ raw }) {
    using _client = await dial(raw);
  },
  "gone within its ID frame": ({ raw }) => sendAndReset(raw, PART),
  "gone right after its ID": ({ raw }) => sendAndReset(raw, ID),
  "reset while it relays": ({ raw }) => sendAndReset(raw, ID, true),
  async "an unknown ID"({ raw }) {
    using client = await dial(raw);
    await refused(client, "nobody");
  },
  async "no frame at all"({ raw }) {
    using client = await dial(raw);
    await send(client, Uint8Array.of(0xff));
    assertEquals((await receiveAll(client))[0], 3);
  },
  async "a WebSocket"({ raw }) {
    using conn = await dial(raw);
    const socket = await webSocketOver(conn, raw);
    await identify(socket);
    socket.close();
  },
  "a WebSocket given up in its handshake": ({ raw }) =>
    sendAndReset(raw, new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n")),
  async "TLS"(ports) {
    using client = await dialTls(ports);
    await identify(client);
  },
  async "a WebSocket over TLS"(ports) {
    using client = await dialTls(ports);
    const socket = await webSocketOver(client, ports.tls);
    await identify(socket);
    await socket.closeWrite();
    socket.close();
  },
  "TLS given up in its handshake": ({ tls }) => sendAndReset(tls, CLIENT_HELLO_PART),
  "plain text at a TLS port": async ({ tls }) => {
    using client = await dial(tls);
    await send(client, ID);
    assertEquals((await receiveAll(client))[0], 3);
  },
  async "TLS that trusts nobody"({ tls }) {
    using client = await Deno.connectTls({ hostname: "localhost", port: tls });
    await client.handshake().catch(() => {});
  },
};

/** Runs `TOTAL` clients, of every kind in turn. */
async function runClients(ports: Ports): Promise<void> {
  const kinds = Object.values(CLIENTS);
  let next = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let index = next++; index < TOTAL; index = next++) await kinds[index % kinds.length]?.(ports);
  }));
}

Deno.test({
  name: `${TOTAL} clients that come and go in every way leave no socket, timer or place behind`,
  ignore: !hasOpenssl || !SHOWS_SOCKETS,
  async fn() {
    using timers = countTimers();
    await using certificate = await Certificate.create("leaks");
    const address = { host: "127.0.0.1", port: 0 };
    const limits = {
      connections: 10 * AT_ONCE,
      connections_per_ip: 10 * AT_ONCE,
      connections_per_id: 10 * AT_ONCE,
    };
    await using balancer = startEchoing({
      listeners: [{ address }, { address, tls: certificate.files }],
      limits,
      timeouts: { id: 60_000, connect: 60_000 },
      log: { access: false },
    });
    const { engine } = balancer.balancer;
    const [raw = 0, tls = 0] = engine.addresses.map(({ port }) => port);
    const ports = { raw, tls, ca: certificate.pem };
    for (const client of Object.values(CLIENTS)) await client(ports);
    await until(() => engine.registry.active === 0, "the first clients have ended", 20_000);
    const open = () => openSockets(raw, tls, balancer.upstream.port);
    await until(() => open() === 0, "their sockets are closed", 20_000);
    const before = timers.active;
    await runClients(ports);
    await until(() => engine.registry.active === 0, "every connection has ended", 20_000);
    assertEquals(engine.limiter.held, 0);
    await until(() => open() === 0, "every socket is closed", 20_000);
    await until(() => timers.active <= before, `${before} timers are set again`, 20_000);
  },
});
