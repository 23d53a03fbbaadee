/** One connection's story: read the ID, route, dial, relay, account. */

import type { Account, Closing, Ledger, QuietLimits } from "./account/ledger.ts";
import type { Config, Upstream, WebSocketConfig } from "./config/config.ts";
import type { Deadlines } from "./deadline.ts";
import type { Dialer } from "./dial/dialer.ts";
import { unavailable } from "./dial/failure.ts";
import { isDisconnect, messageOf, Refusal } from "./errors.ts";
import { type Hello, readHello } from "./frame/first_frame.ts";
import { encodeError } from "./frame/tlv.ts";
import type { Admission } from "./listen/admission.ts";
import { type Duplex, writeAll } from "./listen/duplex.ts";
import type { Entrance } from "./listen/entrance.ts";
import { HandshakeError, type TlsGate } from "./listen/tls.ts";
import { readIntroduction } from "./listen/proxied.ts";
import { TcpDuplex } from "./listen/tcp.ts";
import type { Authorities, TlsClient } from "./listen/tls_client.ts";
import { turnAway } from "./listen/turn_away.ts";
import { httpRefusal, isUpgrade, upgrade } from "./listen/websocket/upgrade.ts";
import { encodeProxyHeader } from "./proxy_protocol.ts";
import { type Ending, relay } from "./relay/relay.ts";
import type { Route, RouteTable } from "./route/table.ts";
import { addressText } from "./text.ts";

/** What every connection of one configuration shares. */
export interface Shared {
  readonly ledger: Ledger;
  readonly admission: Admission<Account>;
  /** Whether connections accepted from now on are turned away. */
  readonly draining: boolean;
  readonly table: RouteTable;
  readonly idBytes: number;
  readonly forwardId: boolean;
  readonly proxyProtocol: Config["proxy_protocol"];
  readonly idDeadlines: Deadlines;
  readonly connectDeadlines: Deadlines;
  /** Speaks TLS to upstreams that want it, trusting `authorities`. */
  readonly tls: TlsClient;
  readonly authorities: Authorities;
  readonly quiet: QuietLimits;
  readonly dialer: Dialer;
}

/** What is in force: a reload replaces all of `shared` at once. */
export interface InForce {
  readonly shared: Shared;
}

/** Serves an accepted connection from its first byte to its access line. Never rejects, and closes `conn`. */
export async function serveConnection(
  conn: Deno.TcpConn,
  entrance: Entrance,
  inForce: InForce,
): Promise<void> {
  const accepted = inForce.shared;
  const account = accepted.ledger.open(new TcpDuplex(conn), conn.remoteAddr, entrance.name);
  let closing: Closing;
  try {
    const peer = conn.remoteAddr.hostname;
    const proxied = entrance.isProxy(peer);
    if (!proxied) accepted.admission.admit(account, peer);
    accepted.admission.seat(account);
    const hello = proxied
      ? readBehindProxy(account, conn.remoteAddr, entrance, accepted)
      : readFirst(account, entrance, accepted);
    const id = await identify(account, hello, accepted);
    if (id === null) {
      closing = PROBE;
    } else {
      account.identify(id);
      if (accepted.draining) {
        throw new Refusal("SHUTTING_DOWN", "the balancer is shutting down; connect again");
      }
      // a reload while the client was silent counts: the ID is routed by what is in force now
      const { shared } = inForce;
      const { upstream } = route(id, account, shared);
      claim(id, account, shared);
      closing = closingOf(await relay(account.client, await reach(upstream, account, conn, shared)));
    }
  } catch (error) {
    accepted.admission.release(account);
    closing = await refuse(account, error);
  } finally {
    accepted.admission.release(account);
    if (account.farewell) await account.farewell;
    account.client.close();
    account.upstream?.close();
  }
  accepted.ledger.close(account, closing);
}

const REPLACED: Closing = { reason: "REPLACED", closedBy: "balancer" };

const PROBE: Closing = { reason: "probe", closedBy: "client" };

/** The client's ID, or null for a probe. What is to reach the upstream can then be read from the client again. */
async function identify(
  account: Account,
  reading: Promise<Hello | null>,
  { idDeadlines, forwardId }: Shared,
): Promise<string | null> {
  const hello = await idDeadlines.guard(
    reading,
    () => new Refusal("ID_TIMEOUT", `no whole ID frame within ${idDeadlines.duration} ms`),
  );
  if (hello === null) return null;
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
  tls: TlsGate,
  entrance: Entrance,
  shared: Shared,
): Promise<Hello | null> {
  const secure = await tls.open(account.client);
  if (!secure) return null;
  account.client = secure.client;
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

function route(id: string, account: Account, shared: Shared): Route {
  const found = shared.table.find(id);
  if (!found) throw new Refusal("UNKNOWN_ID", `no route for ID ${JSON.stringify(id)}`);
  account.route = found.rule;
  return found;
}

/** Ends the connections of this ID that have to give way. */
function claim(id: string, account: Account, { admission }: Shared): void {
  for (const older of admission.claim(account, id)) {
    dismiss(older, REPLACED, new Refusal("REPLACED", "this ID has connected again"));
  }
}

async function reach(
  target: Upstream,
  account: Account,
  client: Deno.TcpConn,
  shared: Shared,
): Promise<Duplex> {
  account.dial(addressText({ hostname: target.host, port: target.port }));
  try {
    const conn = await shared.dialer.dial(target, shared.connectDeadlines);
    account.quiet = shared.quiet;
    const upstream = account.connect(new TcpDuplex(conn));
    if (shared.proxyProtocol) await introduce(upstream, account, client, shared.proxyProtocol);
    if (!target.tls) return upstream;
    const { tls, authorities, connectDeadlines } = shared;
    return account.connect(await tls.secure(upstream, target, authorities, connectDeadlines));
  } catch (error) {
    throw unavailable(error);
  }
}

/** Says to the upstream for whom this connection is. What it costs is not among the client's bytes. */
async function introduce(
  upstream: Duplex,
  { passed }: Account,
  { remoteAddr, localAddr }: Deno.TcpConn,
  version: "v1" | "v2",
): Promise<void> {
  await writeAll(
    upstream,
    encodeProxyHeader(version, passed ?? { source: remoteAddr, destination: localAddr }),
  );
  upstream.sent = 0;
}

function closingOf({ reason, closedBy, cause }: Ending): Closing {
  return { reason, closedBy, detail: cause === undefined ? undefined : messageOf(cause) };
}

/** Ends a connection from outside, and says why where the client has got nothing from an upstream yet. */
export function dismiss(account: Account, closing: Closing, refusal: Refusal): void {
  const untouched = account.client.sent === 0;
  account.cut(closing, untouched ? () => farewell(account, refusal) : undefined);
}

async function farewell({ client, upgrading }: Account, refusal: Refusal): Promise<void> {
  const inHandshake = upgrading && client.transport !== "websocket";
  const otherwise = inHandshake ? httpRefusal(refusal) : encodeError(refusal.code, refusal.message);
  await turnAway(client, refusal.lastWord ?? otherwise, refusal.code);
}

/** Tells the client why, where it can be told. */
async function refuse(account: Account, error: unknown): Promise<Closing> {
  if (error instanceof Refusal) {
    await farewell(account, error);
    const detail = error.cause === undefined ? error.message : messageOf(error.cause);
    return { reason: error.reason, closedBy: "balancer", detail };
  }
  if (error instanceof HandshakeError) {
    return { reason: "BAD_FRAME", closedBy: "client", detail: error.message };
  }
  if (isDisconnect(error)) {
    // some load balancers end a probe by a reset
    if (account.client.received === 0) return PROBE;
    return { reason: "client_reset", closedBy: "client", detail: messageOf(error) };
  }
  return { reason: "internal", closedBy: "balancer", detail: messageOf(error) };
}
