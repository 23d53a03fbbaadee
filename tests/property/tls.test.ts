/** Random schedules over every combination of PROXY header, TLS and WebSocket. */

import fc from "fast-check";
import { type Duplex, writeAll } from "../../lib/transport/duplex.ts";
import { TcpDuplex } from "../../lib/transport/tcp.ts";
import { encodeProxyHeader } from "../../lib/transport/proxy_protocol/header.ts";
import { clientContext, tlsClient } from "../../lib/transport/tls/client.ts";
import { connectWebSocket } from "../../lib/transport/websocket/connect.ts";
import { sleep } from "../../lib/util/async.ts";
import { assertEquals } from "../assert.ts";
import { ID, noise, sha256 } from "../bytes.ts";
import { Certificate, hasOpenssl } from "../certificates.ts";
import { configTo, startBalancer } from "../fixture.ts";
import { sized } from "../soak.ts";
import { startEcho } from "../upstreams.ts";

/** A piece that is written, and how long to wait before it and before a read, in milliseconds. */
const schedule = fc.record({
  pieces: fc.array(
    fc.record({ size: fc.integer({ min: 1, max: 120_000 }), wait: fc.integer({ min: 0, max: 3 }) }),
    {
      maxLength: 12,
    },
  ),
  reads: fc.array(
    fc.record({ size: fc.integer({ min: 1, max: 90_000 }), wait: fc.integer({ min: 0, max: 3 }) }),
    {
      minLength: 1,
      maxLength: 8,
    },
  ),
  proxy: fc.constantFrom("v1" as const, "v2" as const, undefined),
  tls: fc.boolean(),
  webSocket: fc.boolean(),
});

Deno.test({
  name: "bytes written in any pieces come back whole, over PROXY, TLS and WebSocket in any combination",
  ignore: !hasOpenssl,
  async fn() {
    await using certificate = await Certificate.create("first");
    await using upstream = startEcho();
    const address = { host: "127.0.0.1", port: 0 };
    const proxy_protocol = { trusted: ["127.0.0.1"] };
    const listeners = [
      { address },
      { address, tls: certificate.files },
      { address, proxy_protocol },
      { address, proxy_protocol, tls: certificate.files },
    ];
    await using running = startBalancer(configTo(upstream.port, { listeners }));
    const ports = running.balancer.addresses.map(({ port }) => port);

    const open = async (
      { proxy, tls, webSocket }: { proxy: "v1" | "v2" | undefined; tls: boolean; webSocket: boolean },
    ) => {
      const port = ports[(proxy ? 2 : 0) + (tls ? 1 : 0)] ?? 0;
      let duplex: Duplex = new TcpDuplex(await Deno.connect({ hostname: "127.0.0.1", port }));
      const source = { hostname: "192.0.2.1", port: 7 };
      if (proxy) await writeAll(duplex, encodeProxyHeader(proxy, { source, destination: source }));
      if (tls) {
        const secure = tlsClient(duplex, { host: "localhost", context: clientContext(certificate.pem) });
        await secure.handshake();
        duplex = secure;
      }
      return webSocket ? await connectWebSocket(duplex, { host: { host: "127.0.0.1", port } }) : duplex;
    };

    await fc.assert(
      fc.asyncProperty(schedule, async ({ pieces, reads, ...layers }) => {
        const client = await open(layers);
        const bytes = noise(pieces.reduce((sum, { size }) => sum + size, 0) || 1);
        const writing = (async () => {
          await writeAll(client, ID);
          let at = 0;
          for (const { size, wait } of pieces) {
            if (wait > 0) await sleep(wait);
            await writeAll(client, bytes.subarray(at, at + size));
            at += size;
          }
          await client.closeWrite();
        })();
        const chunks: Uint8Array<ArrayBuffer>[] = [];
        for (let turn = 0;; turn++) {
          const { size, wait } = reads[turn % reads.length] ?? { size: 1000, wait: 0 };
          if (wait > 0 && turn < 50) await sleep(wait);
          const buffer = new Uint8Array(Math.max(size, 2000));
          const count = await client.read(buffer);
          if (count === null) break;
          chunks.push(buffer.subarray(0, count));
        }
        await writing;
        client.close();
        const received = new Uint8Array(await new Blob(chunks).arrayBuffer());
        const sent = pieces.length === 0 ? new Uint8Array() : bytes;
        const expected = new Uint8Array(ID.length + sent.length);
        expected.set(ID);
        expected.set(sent, ID.length);
        assertEquals([received.length, await sha256(received)], [expected.length, await sha256(expected)]);
      }),
      { numRuns: sized(500, 0.06) },
    );
  },
});
