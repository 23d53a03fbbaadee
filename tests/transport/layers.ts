/** Clients through several layers of protocols. */

import { type Duplex, writeAll } from "../../lib/transport/duplex.ts";
import { encodeProxyHeader } from "../../lib/transport/proxy_protocol/header.ts";
import { TcpDuplex } from "../../lib/transport/tcp.ts";
import { clientContext, tlsClient } from "../../lib/transport/tls/client.ts";
import { connectWebSocket } from "../../lib/transport/websocket/connect.ts";

/** The layers over TCP, from the outermost. */
interface Layers {
  /** Version of the PROXY header that is sent first. */
  readonly proxy?: "v1" | "v2" | undefined;
  /** With it the client speaks TLS, and trusts this certificate in PEM. */
  readonly ca?: string | undefined;
  readonly webSocket?: boolean;
}

/** Connects to the balancer on `port`, as localhost. */
export async function connectThrough(port: number, { proxy, ca, webSocket }: Layers): Promise<Duplex> {
  let duplex: Duplex = new TcpDuplex(await Deno.connect({ hostname: "127.0.0.1", port }));
  const source = { hostname: "192.0.2.1", port: 7 };
  if (proxy) await writeAll(duplex, encodeProxyHeader(proxy, { source, destination: source }));
  if (ca !== undefined) {
    const secure = tlsClient(duplex, { host: "localhost", context: clientContext(ca) });
    await secure.handshake();
    duplex = secure;
  }
  return webSocket ? await connectWebSocket(duplex, { host: { host: "127.0.0.1", port } }) : duplex;
}
