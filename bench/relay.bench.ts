/** Speed of the whole path over loopback: client, balancer and echo upstream share this one thread. */

import { AcceptanceServer } from "../lib/acceptance/server.ts";
import { connectTo } from "../lib/acceptance/connect.ts";
import { Balancer } from "../lib/balancer.ts";
import { parseConfig } from "../lib/config/parse.ts";
import { encodeFrame, encodeId, FrameType } from "../lib/frame/tlv.ts";
import { type Duplex, writeAll } from "../lib/transport/duplex.ts";

const MIB = 1 << 20;

const upstream = new AcceptanceServer({ host: "127.0.0.1", port: 0 }, "echo");
const balancer = Balancer.start(parseConfig(
  `{ listeners: [{ address: "127.0.0.1:0" }], routes: [{ id: 1, host: 127.0.0.1, port: ${upstream.address.port} }] }`,
  "bench",
));
const target = { host: "127.0.0.1", port: balancer.addresses[0]?.port ?? 0 };
const hello = encodeId("1");
const message = encodeFrame(FrameType.DATA, new Uint8Array(64));
const large = encodeFrame(FrameType.DATA, new Uint8Array(MIB));
const buffer = new Uint8Array(256 << 10);

/** Sends `bytes` and waits until as many have come back. */
async function echo(duplex: Duplex, bytes: Uint8Array): Promise<void> {
  const back = async () => {
    for (let missing = bytes.length; missing > 0;) {
      missing -= await duplex.read(buffer.subarray(0, missing)) ?? missing;
    }
  };
  await Promise.all([writeAll(duplex, bytes), back()]);
}

const standing = await connectTo(target);
await echo(standing, hello);

Deno.bench("one round trip of 64 bytes", async () => await echo(standing, message));

Deno.bench("1 MiB through the balancer and back", async () => await echo(standing, large));

Deno.bench("connect, ID, one round trip, close", async () => {
  const duplex = await connectTo(target);
  await echo(duplex, hello);
  await echo(duplex, message);
  duplex.close();
});
