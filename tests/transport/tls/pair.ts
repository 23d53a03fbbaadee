/** Both ends of connections, as duplexes. */

import { TcpDuplex } from "../../../lib/transport/tcp.ts";
import { clientContext, tlsClient } from "../../../lib/transport/tls/client.ts";
import type { TlsDuplex } from "../../../lib/transport/tls/duplex.ts";
import { TlsServer } from "../../../lib/transport/tls/server.ts";
import { assert } from "../../assert.ts";
import { Certificate } from "../../certificates.ts";
import { pair } from "../pair.ts";

/** Both ends of a TCP connection. */
export async function tcpPair(): Promise<[accepted: TcpDuplex, dialed: TcpDuplex]> {
  const { near, far } = await pair();
  return [new TcpDuplex(far), new TcpDuplex(near)];
}

/** A duplex that counts the bytes read from it. */
class Counted extends TcpDuplex {
  bytes = 0;

  override async read(buffer: Uint8Array): Promise<number | null> {
    const count = await super.read(buffer);
    this.bytes += count ?? 0;
    return count;
  }
}

/** The ends of a TLS connection. */
export interface Pair extends AsyncDisposable {
  readonly server: TlsDuplex;
  readonly client: TlsDuplex;
  /** The connections that carry the records. */
  readonly below: { readonly server: Counted; readonly client: Counted };
}

/** Both ends of a TLS connection, after their handshakes. */
export async function tlsPair(): Promise<Pair> {
  const certificate = await Certificate.create("pair");
  const tls = new TlsServer("here", certificate.files);
  const { near, far } = await pair();
  const below = { server: new Counted(far), client: new Counted(near) };
  const client = tlsClient(below.client, { host: "localhost", context: clientContext(certificate.pem) });
  const shaken = client.handshake();
  const server = await tls.accept(below.server);
  assert(server);
  await Promise.all([server.handshake(), shaken]);
  tls[Symbol.dispose]();
  return {
    server,
    client,
    below,
    async [Symbol.asyncDispose]() {
      server.close();
      client.close();
      await certificate[Symbol.asyncDispose]();
    },
  };
}

/** Sender and receiver, in both directions. */
export const sides = (pair: Pair) => [[pair.server, pair.client], [pair.client, pair.server]] as const;
