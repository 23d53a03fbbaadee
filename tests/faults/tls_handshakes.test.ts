/** Clients that abandon a TLS connection at any stage. */

import { ID, receive, send } from "../bytes.ts";
import { Certificate, hasOpenssl } from "../certificates.ts";
import { identify } from "../clients.ts";
import { startEchoing } from "../fixture.ts";
import { connectResetting } from "../relay/resetting.ts";
import { openSockets } from "../sockets.ts";
import { sized } from "../soak.ts";
import { pause, until } from "../wait.ts";

const CLIENTS = sized(3000);

/** The ClientHello that the platform sends. */
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
    const listeners = [{ address: { host: "127.0.0.1", port: 0 }, tls: certificate.files }];
    // the leak sanitizers of the test runner count timers and pending operations
    await using balancer = startEchoing({ listeners, limits: { connections: 0 }, timeouts: { id: 60_000 } });
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
        const client = await connectResetting(at.port);
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
    await until(
      () => openSockets(balancer.port, balancer.upstream.port) === 0,
      "every socket is closed",
      20_000,
    );
    using good = await secure();
    await identify(good);
  },
});
