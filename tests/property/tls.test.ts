/** Random schedules over every combination of PROXY header, TLS and WebSocket. */

import fc from "fast-check";
import { assertEquals } from "../assert.ts";
import { ID, noise, send, sha256 } from "../bytes.ts";
import { Certificate, hasOpenssl } from "../certificates.ts";
import { startEchoing } from "../fixture.ts";
import { sized } from "../soak.ts";
import { connectThrough } from "../transport/layers.ts";
import { pause } from "../wait.ts";

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
    const address = { host: "127.0.0.1", port: 0 };
    const proxy_protocol = { trusted: ["127.0.0.1"] };
    const listeners = [
      { address },
      { address, tls: certificate.files },
      { address, proxy_protocol },
      { address, proxy_protocol, tls: certificate.files },
    ];
    await using running = startEchoing({ listeners });
    const ports = running.balancer.addresses.map(({ port }) => port);

    await fc.assert(
      fc.asyncProperty(schedule, async ({ pieces, reads, ...layers }) => {
        const port = ports[(layers.proxy ? 2 : 0) + (layers.tls ? 1 : 0)] ?? 0;
        const client = await connectThrough(port, {
          ...layers,
          ca: layers.tls ? certificate.pem : undefined,
        });
        const bytes = noise(pieces.reduce((sum, { size }) => sum + size, 0) || 1);
        const writing = (async () => {
          await send(client, ID);
          let at = 0;
          for (const { size, wait } of pieces) {
            if (wait > 0) await pause(wait);
            await send(client, bytes.subarray(at, at + size));
            at += size;
          }
          await client.closeWrite();
        })();
        const chunks: Uint8Array<ArrayBuffer>[] = [];
        for (let turn = 0;; turn++) {
          const { size, wait } = reads[turn % reads.length] ?? { size: 1000, wait: 0 };
          if (wait > 0 && turn < 50) await pause(wait);
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
