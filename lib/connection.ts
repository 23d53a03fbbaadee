/** One connection's story: read the ID, route, dial, relay, account. */

import type { Account, Closing, Ledger, QuietLimits } from "./account/ledger.ts";
import type { Config, HostPort } from "./config/config.ts";
import type { Deadlines } from "./deadline.ts";
import { type Connect, dial, unavailable } from "./dial/connect.ts";
import { isDisconnect, messageOf, Refusal } from "./errors.ts";
import { type Hello, readHello } from "./frame/first_frame.ts";
import { encodeError } from "./frame/tlv.ts";
import type { Admission } from "./listen/admission.ts";
import { type Duplex, writeAll } from "./listen/duplex.ts";
import type { Entrance } from "./listen/entrance.ts";
import { readIntroduction } from "./listen/proxied.ts";
import { TcpDuplex } from "./listen/tcp.ts";
import { turnAway } from "./listen/turn_away.ts";
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
  readonly quiet: QuietLimits;
  readonly connect: Connect | undefined;
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
  const client = new TcpDuplex(conn);
  const account = accepted.ledger.open(client, conn.remoteAddr, entrance.name);
  let closing: Closing;
  try {
    const peer = conn.remoteAddr.hostname;
    const proxied = entrance.isProxy(peer);
    if (!proxied) accepted.admission.admit(account, peer);
    accepted.admission.seat(account);
    const id = await identify(
      client,
      accepted,
      proxied ? readBehindProxy(account, conn.remoteAddr, accepted) : undefined,
    );
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
      closing = closingOf(await relay(client, await reach(upstream, account, conn, shared)));
    }
  } catch (error) {
    accepted.admission.release(account);
    closing = await refuse(client, error);
  } finally {
    accepted.admission.release(account);
    if (account.farewell) await account.farewell;
    client.close();
    account.upstream?.close();
  }
  accepted.ledger.close(account, closing);
}

const REPLACED: Closing = { reason: "REPLACED", closedBy: "balancer" };

const PROBE: Closing = { reason: "probe", closedBy: "client" };

/** The client's ID, or null for a probe. What is to reach the upstream can then be read from `client` again. */
async function identify(
  client: TcpDuplex,
  { idBytes, idDeadlines, forwardId }: Shared,
  reading = readHello(client, { idBytes }),
): Promise<string | null> {
  const hello = await idDeadlines.guard(
    reading,
    () => new Refusal("ID_TIMEOUT", `no whole ID frame within ${idDeadlines.duration} ms`),
  );
  if (hello === null) return null;
  client.unread(forwardId ? hello.bytes : hello.bytes.subarray(hello.frameBytes));
  return hello.id;
}

/** What a client says through a proxy, which introduces it: only then is it known who wants in. */
async function readBehindProxy(
  account: Account,
  proxy: Deno.NetAddr,
  { admission, idBytes }: Shared,
): Promise<Hello | null> {
  const introduction = await readIntroduction(account.client, proxy);
  if (introduction === null) return null;
  const { passed } = introduction;
  if (passed) {
    account.passed = passed;
    admission.admit(account, passed.source.hostname);
  }
  const hello = await readHello(account.client, { idBytes });
  // a proxy that speaks for itself is mostly one that looks whether we live, and says no more
  if (hello && !passed) admission.admit(account, proxy.hostname);
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
  target: HostPort,
  account: Account,
  client: Deno.TcpConn,
  shared: Shared,
): Promise<Duplex> {
  account.dial(addressText({ hostname: target.host, port: target.port }));
  try {
    const conn = await dial(target, shared.connectDeadlines, shared.connect);
    account.quiet = shared.quiet;
    const upstream = account.connect(new TcpDuplex(conn));
    if (shared.proxyProtocol) await introduce(upstream, account, client, shared.proxyProtocol);
    return upstream;
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
  account.cut(closing, untouched ? () => farewell(account.client, refusal) : undefined);
}

async function farewell(client: Duplex, refusal: Refusal): Promise<void> {
  await turnAway(client, encodeError(refusal.code, refusal.message));
}

/** Tells the client why, where it can be told. */
async function refuse(client: TcpDuplex, error: unknown): Promise<Closing> {
  if (error instanceof Refusal) {
    await farewell(client, error);
    const detail = error.cause === undefined ? error.message : messageOf(error.cause);
    return { reason: error.reason, closedBy: "balancer", detail };
  }
  if (isDisconnect(error)) {
    // some load balancers end a probe by a reset
    if (client.received === 0) return PROBE;
    return { reason: "client_reset", closedBy: "client", detail: messageOf(error) };
  }
  return { reason: "internal", closedBy: "balancer", detail: messageOf(error) };
}
