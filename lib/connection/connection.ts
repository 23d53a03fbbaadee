/** The state of one connection, and the transitions between its stages. */

import type { Permit } from "../admission/permit.ts";
import type { HostPort } from "../config/config.ts";
import type { Refusal } from "../errors.ts";
import type { Closing, ConnectionInfo, DialReason, Observer } from "../observe/observer.ts";
import { type Rule, ruleText } from "../route/table.ts";
import { type Duplex, type Endpoint, newFlow, type Transport } from "../transport/duplex.ts";
import type { ProxiedEndpoints } from "../transport/proxy_protocol/header.ts";
import type { Deadline } from "../util/deadlines.ts";
import { ListNode } from "../util/linked_list.ts";
import { type Layer, sendRejection } from "./rejection.ts";

/** Both addresses of an accepted socket, as the platform gives them. */
export interface SocketAddresses {
  readonly remoteAddr: Endpoint;
  readonly localAddr: Endpoint;
}

/**
 * One connection. `lib/connection.ts` takes it from stage to stage, and each transition is reported to the observers.
 * Call `terminate` to end it from elsewhere.
 */
export class Connection extends ListNode<Connection> implements ConnectionInfo {
  readonly conn: number;
  readonly listener: string;
  readonly up = newFlow();
  readonly down = newFlow();
  readonly acceptedAt = performance.now();
  /** The client's side. The handshake replaces it by the layers above: TLS, a WebSocket. */
  client: Duplex;
  /** The remote end of the socket: the client, or a proxy. */
  readonly peer: Endpoint;
  readonly #local: Endpoint;
  readonly #observer: Required<Observer>;
  #layer: Layer = "frames";
  #proxied: ProxiedEndpoints | undefined;
  #clientSubject: string | undefined;
  #id: string | undefined;
  #rule: Rule | undefined;
  #server: HostPort | undefined;
  #upstream: Duplex | undefined;
  #attempts = 0;
  #identifiedAt: number | undefined;
  #dialedAt: number | undefined;
  #connectedAt: number | undefined;
  #waiting: Pick<Deadline, "interrupt"> | undefined;
  #closing: Closing | undefined;
  /** The error that interrupts the path of a terminated connection, at its next transition at the latest. */
  #interruption: Error | undefined;
  #rejection: Promise<void> | undefined;
  #permit: Permit | undefined;
  /** Counts the connection at the server that is dialed or connected. */
  #lease: Disposable | undefined;

  constructor(
    conn: number,
    client: Duplex,
    { remoteAddr, localAddr }: SocketAddresses,
    listener: string,
    observer: Required<Observer>,
  ) {
    super();
    this.conn = conn;
    this.client = client;
    this.listener = listener;
    this.peer = remoteAddr;
    this.#local = localAddr;
    this.#observer = observer;
  }

  get source(): Endpoint {
    return this.#proxied?.source ?? this.peer;
  }

  /** The address that the client connected to, as far as known. */
  get destination(): Endpoint {
    return this.#proxied?.destination ?? this.#local;
  }

  /** Whether a trusted proxy has sent the client's address. */
  get isProxied(): boolean {
    return this.#proxied !== undefined;
  }

  get transport(): Transport {
    return this.#layer === "http" ? "websocket" : this.client.transport;
  }

  get id(): string | undefined {
    return this.#id;
  }

  get clientSubject(): string | undefined {
    return this.#clientSubject;
  }

  /** The rule that matched its ID. */
  get rule(): Rule | undefined {
    return this.#rule;
  }

  get route(): string | undefined {
    return this.#rule && ruleText(this.#rule);
  }

  get upstream(): HostPort | undefined {
    return this.#server;
  }

  get attempts(): number {
    return this.#attempts;
  }

  get identifiedAt(): number | undefined {
    return this.#identifiedAt;
  }

  get dialedAt(): number | undefined {
    return this.#dialedAt;
  }

  get connectedAt(): number | undefined {
    return this.#connectedAt;
  }

  /** Why it was terminated, if it was. */
  get closing(): Closing | undefined {
    return this.#closing;
  }

  /** Settles once the client has been told why it is refused; undefined if it is not refused. */
  get rejection(): Promise<void> | undefined {
    return this.#rejection;
  }

  /** The connection has been admitted: it holds `permit` until it is released. */
  admitted(permit: Permit): void {
    this.#permit = permit;
  }

  /** A trusted proxy has sent the client's address. */
  proxied(endpoints: ProxiedEndpoints): void {
    this.#proxied = endpoints;
  }

  /** The client's certificate has been checked. */
  authenticated(subject: string | undefined): void {
    this.#clientSubject = subject;
  }

  /** The handshake has reached this layer, in which a rejection is sent from now on. */
  speaks(layer: Layer): void {
    this.#layer = layer;
  }

  /** The connection waits for its client's ID or its upstream: `terminate` interrupts that. */
  waitsUnder(deadline: Pick<Deadline, "interrupt">): void {
    this.#waiting = deadline;
    if (this.#interruption) deadline.interrupt(this.#interruption);
  }

  /** The client has sent its ID. @throws the reason for which the connection was terminated, if it was */
  identified(id: string): void {
    this.#waited();
    this.#id = id;
    this.#identifiedAt = performance.now();
    this.#observer.identified(this);
  }

  /** The rule for its ID has been found. */
  routed(rule: Rule): void {
    this.#rule = rule;
  }

  /** An attempt to reach `server` begins; `lease` counts the connection there. */
  dialing(server: HostPort, lease: Disposable): void {
    this.#server = server;
    this.#lease = lease;
    this.#attempts += 1;
    this.#dialedAt = performance.now();
    this.#observer.dialing(this, server);
  }

  /** The attempt has failed. */
  dialFailed(server: HostPort, reason: DialReason): void {
    this.#observer.dialFailed(this, server, reason);
    this.#lease?.[Symbol.dispose]();
  }

  /** A socket to the upstream is open; TLS over it may replace it. */
  opened(upstream: Duplex): void {
    this.#upstream = upstream;
    if (this.#closing) upstream.close();
  }

  /** The upstream is ready for relaying. @throws the reason for which the connection was terminated, if it was */
  connected(): void {
    this.#waited();
    this.#connectedAt = performance.now();
    this.#observer.connected(this);
  }

  /**
   * Ends the connection from outside because of `why`; the first reason is kept. With `refusal` the client is sent an
   * ERROR unless it may have received bytes of its upstream; without, or at the second call, both sides are just
   * closed.
   */
  terminate(why: Closing, refusal?: Refusal): void {
    this.#closing ??= why;
    this.#interruption ??= refusal ?? new Deno.errors.Interrupted("the connection was terminated");
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) return waiting.interrupt(this.#interruption);
    this.#upstream?.close();
    if (refusal && !this.#rejection && this.down.read === 0) void this.reject(refusal);
    else this.client.close();
  }

  /** Sends the client the refusal, and closes its side. Always resolves, once that is done. */
  reject(refusal: Refusal): Promise<void> {
    this.#waiting = undefined;
    return this.#rejection ??= sendRejection(this.client, this.#layer, refusal);
  }

  /** Releases its counts under the limits and at its server. May be called again. */
  release(): void {
    this.#lease?.[Symbol.dispose]();
    this.#permit?.[Symbol.dispose]();
  }

  /** Closes both sides. */
  end(): void {
    this.#waiting = undefined;
    this.client.close();
    this.#upstream?.close();
  }

  /** The wait is over, perhaps at the very moment at which the connection was terminated. */
  #waited(): void {
    this.#waiting = undefined;
    if (this.#interruption) throw this.#interruption;
  }
}
