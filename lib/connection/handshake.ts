/** Who is there: admission, and what a client says first, through whatever lies around it. */

import type { Account } from "./registry.ts";
import type { WebSocketConfig } from "../config/config.ts";
import { Refusal } from "../errors.ts";
import { type Hello, readHello } from "../frame/id_frame.ts";
import type { Entrance } from "../listen/listener.ts";
import { readIntroduction } from "../transport/proxy_protocol/reader.ts";
import type { TlsServer } from "../transport/tls/server.ts";
import { isUpgrade, upgrade } from "../transport/websocket/accept.ts";
import { SHUTTING_DOWN } from "./refuse.ts";
import type { Shared } from "./snapshot.ts";

/**
 * Lets the client at `peer` in and gives its ID, or null for a probe. All that it takes is under one deadline. What is
 * to reach the upstream can then be read from the client again.
 *
 * @throws {Refusal} FORBIDDEN, LIMIT_EXCEEDED, BAD_FRAME, ID_EXPECTED, ID_TIMEOUT or SHUTTING_DOWN
 */
export async function greet(
  account: Account,
  peer: Deno.NetAddr,
  entrance: Entrance,
  shared: Shared,
): Promise<string | null> {
  const proxied = entrance.isProxy(peer.hostname);
  if (!proxied) shared.admission.admit(account, peer.hostname);
  shared.admission.seat(account);
  const { idDeadlines, forwardId } = shared;
  const hello = await idDeadlines.guard(
    proxied ? readBehindProxy(account, peer, entrance, shared) : readFirst(account, entrance, shared),
    () => new Refusal("ID_TIMEOUT", `no whole ID frame within ${idDeadlines.duration} ms`),
  );
  if (hello === null) return null;
  account.identify(hello.id);
  if (shared.draining) throw SHUTTING_DOWN;
  account.client.unread(forwardId ? hello.bytes : hello.bytes.subarray(hello.frameBytes));
  return hello.id;
}

/** What a client says first, over TLS where the listener speaks it. */
function readFirst(account: Account, entrance: Entrance, shared: Shared): Promise<Hello | null> {
  return entrance.tls
    ? readOverTls(account, entrance.tls, entrance, shared)
    : readFrames(account, entrance, shared);
}

async function readOverTls(
  account: Account,
  tls: TlsServer,
  entrance: Entrance,
  shared: Shared,
): Promise<Hello | null> {
  const secure = await tls.accept(account.client);
  if (!secure) return null;
  account.client = secure;
  try {
    await secure.handshake();
    return await readFrames(account, entrance, shared);
  } finally {
    // where the connection was given up meanwhile, nobody else is left to close what it has become
    if (!account.joined) account.client.close();
  }
}

/** What a client says first, over a WebSocket where it asks for one. */
function readFrames(account: Account, entrance: Entrance, { idBytes }: Shared): Promise<Hello | null> {
  const otherwise = (bytes: Uint8Array) => {
    const { webSocket } = entrance;
    return webSocket && isUpgrade(bytes) ? readOverWebSocket(account, bytes, webSocket, idBytes) : undefined;
  };
  return readHello(account.client, { idBytes, otherwise });
}

async function readOverWebSocket(
  account: Account,
  opening: Uint8Array,
  config: WebSocketConfig,
  idBytes: number,
): Promise<Hello | null> {
  account.upgrading = true;
  account.client = await upgrade(account.client, opening, config);
  return await readHello(account.client, { idBytes });
}

/** What a client says through a proxy, which introduces it: only then is it known who wants in. */
async function readBehindProxy(
  account: Account,
  proxy: Deno.NetAddr,
  entrance: Entrance,
  shared: Shared,
): Promise<Hello | null> {
  const introduction = await readIntroduction(account.client, proxy);
  if (introduction === null) return null;
  const { passed } = introduction;
  if (passed) {
    account.passed = passed;
    shared.admission.admit(account, passed.source.hostname);
  }
  const hello = await readFirst(account, entrance, shared);
  // a proxy that speaks for itself is mostly one that looks whether we live, and says no more
  if (hello && !passed) shared.admission.admit(account, proxy.hostname);
  return hello;
}
