/** The hook for the log, metrics, tracing, webhooks and the dashboard. */

import type { HostPort } from "../config/config.ts";
import type { ReloadResult } from "../config/reload_result.ts";
import type { RefusalName } from "../errors.ts";
import type { Endpoint, Flow, Transport } from "../transport/duplex.ts";

/** Why a connection ended: a FIN, a reset, an action of the balancer, or the name of the ERROR frame sent. */
export type CloseReason =
  | "client_fin"
  | "upstream_fin"
  | "client_reset"
  | "upstream_reset"
  | "idle"
  | "drain"
  | "kicked"
  | "probe"
  | "internal"
  | RefusalName;

/** Why a connection was ended, and by whom. */
export interface Closing {
  readonly reason: CloseReason;
  readonly closedBy: "client" | "upstream" | "balancer";
  /** Human-readable detail, if there is any. */
  readonly detail?: string | undefined;
}

/** A connection as observers see it at that moment. Times are in milliseconds of `performance.now`. */
export interface ConnectionInfo {
  /** Number of the connection since the start, from 1. */
  readonly conn: number;
  /** The client's address: from a trusted proxy's header, else the peer's. */
  readonly source: Endpoint;
  /** The address of the listener that accepted it. */
  readonly listener: string;
  readonly transport: Transport;
  /** Subject of the client's certificate, if it has a valid one. */
  readonly clientSubject: string | undefined;
  readonly id: string | undefined;
  /** The rule that matched. */
  readonly route: string | undefined;
  /** The last upstream dialed. */
  readonly upstream: HostPort | undefined;
  /** Number of upstreams dialed. */
  readonly attempts: number;
  /** From the client to the upstream. */
  readonly up: Readonly<Flow>;
  /** From the upstream to the client. */
  readonly down: Readonly<Flow>;
  readonly acceptedAt: number;
  readonly identifiedAt: number | undefined;
  readonly dialedAt: number | undefined;
  readonly connectedAt: number | undefined;
}

/** A copy of the current record of a connection. */
export function connectionInfo(connection: ConnectionInfo): ConnectionInfo {
  const { conn, source, listener, transport, clientSubject, id, route, upstream, attempts } = connection;
  const { acceptedAt, identifiedAt, dialedAt, connectedAt } = connection;
  const [up, down] = [{ ...connection.up }, { ...connection.down }];
  const times = { acceptedAt, identifiedAt, dialedAt, connectedAt };
  const client = { conn, source, listener, transport, clientSubject };
  return { ...client, id, route, upstream, attempts, up, down, ...times };
}

/** Why an upstream could not be reached. */
export type DialReason = "refused" | "timeout" | "unresolved" | "unreachable" | "tls" | "failed";

/** Whether a server of a pool gets new connections: `down` after failed checks, `ejected` after failed dials. */
export type HealthState = "up" | "down" | "ejected";

/** A server as observers see it. */
export interface ServerInfo {
  /** `host:port` */
  readonly key: string;
  /** The pool of the server; undefined for one that a route names by host and port. */
  readonly pool: string | undefined;
  /** Number of its connections. */
  readonly active: number;
}

/**
 * Each observer implements some of the methods. They are called synchronously on the path of a connection, so they must
 * not wait or throw. Bytes are not events; `ConnectionInfo` has the counters.
 */
export interface Observer {
  /** A connection was accepted. */
  accepted?(connection: ConnectionInfo): void;
  /** Its client has sent a valid ID. */
  identified?(connection: ConnectionInfo): void;
  /** An upstream is being dialed. */
  dialing?(connection: ConnectionInfo, server: HostPort): void;
  /** That upstream could not be reached. */
  dialFailed?(connection: ConnectionInfo, server: HostPort, reason: DialReason): void;
  /** An upstream was reached; bytes are relayed from now on. */
  connected?(connection: ConnectionInfo): void;
  /** The health of a server of a pool has changed; `why` is human-readable. */
  serverChanged?(server: ServerInfo, state: HealthState, why: string): void;
  /** The connection has ended. Called once. */
  closed?(connection: ConnectionInfo, why: Closing): void;
  /** A new configuration is in use. */
  reloaded?(result: ReloadResult): void;
}

/** An observer of at least one kind of event. */
type Of<Event extends keyof Observer> = Observer & Required<Pick<Observer, Event>>;

/** Calls every observer in turn. An event that none implements costs nothing. */
export class Observers implements Required<Observer> {
  readonly #accepted: readonly Of<"accepted">[];
  readonly #identified: readonly Of<"identified">[];
  readonly #dialing: readonly Of<"dialing">[];
  readonly #dialFailed: readonly Of<"dialFailed">[];
  readonly #connected: readonly Of<"connected">[];
  readonly #serverChanged: readonly Of<"serverChanged">[];
  readonly #closed: readonly Of<"closed">[];
  readonly #reloaded: readonly Of<"reloaded">[];

  constructor(observers: readonly Observer[]) {
    const implementing = <Event extends keyof Observer>(event: Event) =>
      observers.filter((observer): observer is Of<Event> => observer[event] !== undefined);
    this.#accepted = implementing("accepted");
    this.#identified = implementing("identified");
    this.#dialing = implementing("dialing");
    this.#dialFailed = implementing("dialFailed");
    this.#connected = implementing("connected");
    this.#serverChanged = implementing("serverChanged");
    this.#closed = implementing("closed");
    this.#reloaded = implementing("reloaded");
  }

  accepted(connection: ConnectionInfo): void {
    for (const observer of this.#accepted) observer.accepted(connection);
  }

  identified(connection: ConnectionInfo): void {
    for (const observer of this.#identified) observer.identified(connection);
  }

  dialing(connection: ConnectionInfo, server: HostPort): void {
    for (const observer of this.#dialing) observer.dialing(connection, server);
  }

  dialFailed(connection: ConnectionInfo, server: HostPort, reason: DialReason): void {
    for (const observer of this.#dialFailed) observer.dialFailed(connection, server, reason);
  }

  connected(connection: ConnectionInfo): void {
    for (const observer of this.#connected) observer.connected(connection);
  }

  serverChanged(server: ServerInfo, state: HealthState, why: string): void {
    for (const observer of this.#serverChanged) observer.serverChanged(server, state, why);
  }

  closed(connection: ConnectionInfo, why: Closing): void {
    for (const observer of this.#closed) observer.closed(connection, why);
  }

  reloaded(result: ReloadResult): void {
    for (const observer of this.#reloaded) observer.reloaded(result);
  }
}
