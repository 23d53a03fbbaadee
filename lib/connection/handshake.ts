/** From the accept to the client's ID, through all layers around it. */

import type { Permit } from "../admission/permit.ts";
import type { WebSocketConfig } from "../config/config.ts";
import { Refusal } from "../errors.ts";
import { type IdFrame, readIdFrame } from "../frame/id_frame.ts";
import type { Listener } from "../listen/listener.ts";
import { readFirst } from "../transport/duplex.ts";
import { readProxyHeader } from "../transport/proxy_protocol/reader.ts";
import type { TlsServer } from "../transport/tls/server.ts";
import { acceptWebSocket, isUpgrade } from "../transport/websocket/accept.ts";
import { acquire, release } from "../util/buffer_pool.ts";
import type { Connection } from "./connection.ts";
import { SHUTTING_DOWN } from "./rejection.ts";
import type { Current } from "./snapshot.ts";
import { durationText } from "../util/text.ts";

/** Size of the first read: thousands of clients that connect at once wait with a small buffer. */
const OPENING_BYTES = 1 << 10;

/**
 * Reads the client's ID, under one deadline. Null for a probe: a connection that closed without sending anything.
 * Afterwards `connection.client` is the innermost layer, from which all data for the upstream can be read again.
 *
 * @throws {Refusal} FORBIDDEN, LIMIT_EXCEEDED, BAD_FRAME, ID_EXPECTED, ID_TIMEOUT or SHUTTING_DOWN
 */
export async function handshake(
  connection: Connection,
  listener: Listener,
  permit: Permit,
  current: Current,
): Promise<string | null> {
  // the settings at the moment of the accept, even if they change while the client is silent
  const { snapshot: { idDeadlines, idBytes, forwardId }, draining } = current;
  const deadline = idDeadlines.start();
  connection.waitsUnder(deadline);
  let frame: IdFrame | null;
  try {
    frame = await deadline.guard(
      readThroughLayers(connection, listener, permit, idBytes),
      () => new Refusal("ID_TIMEOUT", `no complete ID frame within ${durationText(deadline.duration)}`),
    );
  } finally {
    deadline[Symbol.dispose]();
  }
  if (frame === null) return null;
  connection.identified(frame.id);
  if (draining) throw SHUTTING_DOWN;
  connection.client.unread(forwardId ? frame.bytes : frame.bytes.subarray(frame.frameBytes));
  return frame.id;
}

async function readThroughLayers(
  connection: Connection,
  listener: Listener,
  permit: Permit,
  idBytes: number,
): Promise<IdFrame | null> {
  const { peer } = connection;
  const isProxy = listener.isProxy(peer.hostname);
  if (isProxy && !await readProxy(connection, permit)) return null;
  if (listener.tls && !await acceptTls(connection, listener.tls)) return null;
  const buffer = acquire(OPENING_BYTES);
  const count = await readFirst(connection.client, buffer);
  if (count === null) return null;
  const opening = buffer.slice(0, count);
  release(buffer);
  const frame = listener.webSocket && isUpgrade(opening)
    ? await readOverWebSocket(connection, opening, listener.webSocket, idBytes)
    : await readIdFrame(connection.client, { idBytes, opening });
  // a LOCAL header without an ID is a health check, which limits must not refuse
  if (frame && isProxy && !connection.isProxied) permit.from(peer.hostname);
  return frame;
}

/** Performs the TLS handshake. False for a probe. */
async function acceptTls(connection: Connection, server: TlsServer): Promise<boolean> {
  const tls = await server.accept(connection.client);
  if (!tls) return false;
  connection.client = tls;
  connection.speaks("tls");
  try {
    await tls.handshake();
  } finally {
    // if the connection has ended meanwhile, nothing else closes the TLS layer
    if (!connection.joined) tls.close();
  }
  connection.speaks("frames");
  connection.authenticated(tls.checkPeer());
  return true;
}

async function readOverWebSocket(
  connection: Connection,
  opening: Uint8Array,
  config: WebSocketConfig,
  idBytes: number,
): Promise<IdFrame | null> {
  connection.speaks("http");
  connection.client = await acceptWebSocket(connection.client, opening, config);
  connection.speaks("frames");
  return await readIdFrame(connection.client, { idBytes });
}

/** Reads the PROXY header with the client's address. False for a probe. */
async function readProxy(connection: Connection, permit: Permit): Promise<boolean> {
  const header = await readProxyHeader(connection.client, connection.peer);
  if (header === null) return false;
  if (!header.endpoints) return true;
  connection.proxied(header.endpoints);
  permit.from(header.endpoints.source.hostname);
  return true;
}
