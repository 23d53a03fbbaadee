/** One connection's story: read the ID, route, dial, relay, account. */

import type { Account, Closing, Ledger } from "./account/ledger.ts";
import type { Config, HostPort } from "./config/config.ts";
import { Deadlines } from "./deadline.ts";
import { type Connect, dial, unavailable } from "./dial/connect.ts";
import { isDisconnect, messageOf, Refusal } from "./errors.ts";
import { readHello } from "./frame/first_frame.ts";
import { encodeError } from "./frame/tlv.ts";
import { Admission } from "./listen/admission.ts";
import type { Duplex } from "./listen/duplex.ts";
import { TcpDuplex } from "./listen/tcp.ts";
import { turnAway } from "./listen/turn_away.ts";
import { type Ending, relay } from "./relay/relay.ts";
import { type Route, RouteTable } from "./route/table.ts";

/** What every connection of one configuration shares. */
export interface Shared {
  readonly ledger: Ledger;
  readonly admission: Admission;
  readonly table: RouteTable;
  readonly idBytes: number;
  readonly forwardId: boolean;
  readonly idDeadlines: Deadlines;
  readonly connectDeadlines: Deadlines;
  readonly connect: Connect | undefined;
}

/** What `config` asks of every connection. */
export function share(config: Config, ledger: Ledger, connect?: Connect): Shared {
  return {
    ledger,
    admission: new Admission(config),
    table: new RouteTable(config.routes, config.default),
    idBytes: config.limits.id_bytes,
    forwardId: config.forward_id,
    idDeadlines: new Deadlines(config.timeouts.id),
    connectDeadlines: new Deadlines(config.timeouts.connect),
    connect,
  };
}

/** Serves an accepted connection from its first byte to its access line. Never rejects, and closes `conn`. */
export async function serveConnection(conn: Deno.TcpConn, listener: string, shared: Shared): Promise<void> {
  const client = new TcpDuplex(conn);
  const account = shared.ledger.open(client, conn.remoteAddr, listener);
  let closing: Closing;
  try {
    shared.admission.admit(conn.remoteAddr.hostname);
    const id = await identify(client, shared);
    if (id === null) {
      closing = PROBE;
    } else {
      account.identify(id);
      const { upstream } = route(id, account, shared);
      closing = closingOf(await relay(client, await reach(upstream, account, shared)));
    }
  } catch (error) {
    closing = await refuse(client, error);
  } finally {
    client.close();
    account.upstream?.close();
  }
  shared.ledger.close(account, closing);
}

const PROBE: Closing = { reason: "probe", closedBy: "client" };

/** The client's ID, or null for a probe. What is to reach the upstream can then be read from `client` again. */
async function identify(
  client: TcpDuplex,
  { idBytes, idDeadlines, forwardId }: Shared,
): Promise<string | null> {
  const hello = await idDeadlines.guard(
    readHello(client, { idBytes }),
    () => new Refusal("ID_TIMEOUT", `no whole ID frame within ${idDeadlines.duration} ms`),
  );
  if (hello === null) return null;
  client.unread(forwardId ? hello.bytes : hello.bytes.subarray(hello.frameBytes));
  return hello.id;
}

function route(id: string, account: Account, shared: Shared): Route {
  const found = shared.table.find(id);
  if (!found) throw new Refusal("UNKNOWN_ID", `no route for ID ${JSON.stringify(id)}`);
  account.route = found.rule;
  return found;
}

async function reach(target: HostPort, account: Account, shared: Shared): Promise<Duplex> {
  account.dial(hostPortText(target));
  try {
    const conn = await dial(target, shared.connectDeadlines, shared.connect);
    return account.connect(new TcpDuplex(conn));
  } catch (error) {
    throw unavailable(error);
  }
}

function closingOf({ reason, closedBy, cause }: Ending): Closing {
  return { reason, closedBy, detail: cause === undefined ? undefined : messageOf(cause) };
}

/** Tells the client why, where it can be told. */
async function refuse(client: TcpDuplex, error: unknown): Promise<Closing> {
  if (error instanceof Refusal) {
    await turnAway(client, encodeError(error.code, error.message));
    const detail = error.cause === undefined ? error.message : messageOf(error.cause);
    return { reason: error.reason, closedBy: "balancer", detail };
  }
  if (isDisconnect(error)) return { reason: "client_reset", closedBy: "client", detail: messageOf(error) };
  return { reason: "internal", closedBy: "balancer", detail: messageOf(error) };
}

function hostPortText({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
