/** What is known of every connection while it runs, and one access line at its end. */

import type { RefusalName } from "../errors.ts";
import { LinkedList, ListNode } from "../util/linked_list.ts";
import { type Duplex, type Flow, newFlow, type Transport } from "../transport/duplex.ts";
import type { Endpoint, Passed } from "../transport/proxy_protocol/header.ts";
import { addressText } from "../util/text.ts";

/** Why a connection ended: a FIN, a reset, the balancer's own doing, or the name of the ERROR frame it got. */
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

/** Why and by whom a connection was ended. */
export interface Closing {
  readonly reason: CloseReason;
  readonly closedBy: "client" | "upstream" | "balancer";
  /** More for a person, where there is more to say. */
  readonly detail?: string | undefined;
}

/** How long nothing may move, in milliseconds; 0 is without limit. */
export interface QuietLimits {
  /** While both sides may still send. */
  readonly idle: number;
  /** Once one of them has finished. */
  readonly half_close: number;
}

/** One access line. Field names are those of the log; times are in milliseconds. */
export interface AccessRecord {
  /** RFC 3339, when the connection ended. */
  readonly time: string;
  /** Number of the connection since the start. */
  readonly conn: number;
  readonly client: string;
  readonly listener: string;
  readonly transport: Transport;
  readonly id: string | null;
  /** The rule that matched. */
  readonly route: string | null;
  readonly upstream: string | null;
  /** From accept to the whole ID frame. */
  readonly id_ms: number | null;
  /** For reaching the upstream. */
  readonly connect_ms: number | null;
  readonly duration_ms: number;
  readonly bytes_up: number;
  readonly bytes_down: number;
  /** Upstreams tried. */
  readonly attempts: number;
  readonly reason: CloseReason;
  readonly closed_by: Closing["closedBy"];
  readonly detail?: string;
}

/** The account of one connection. Whoever serves the connection fills it in and closes it. */
export class Account extends ListNode<Account> {
  readonly conn: number;
  /** Replaced by what is spoken over it: TLS, and a WebSocket where the client asks for one. */
  client: Duplex;
  /** Whether the client has begun to ask for a WebSocket. */
  upgrading = false;
  upstream: Duplex | undefined;
  /** What has moved from client to upstream. */
  readonly up: Flow = newFlow();
  /** What has moved from upstream to client. */
  readonly down: Flow = newFlow();
  id: string | undefined;
  route: string | undefined;
  /** Set where the connection may be quiet for only so long. */
  quiet: QuietLimits | undefined;
  upstreamAddress: string | undefined;
  attempts = 0;
  /** What a trusted proxy said of the connection that it passes on. */
  passed: Passed | undefined;
  counted = false;
  countedAddress: string | undefined;
  countedId: string | undefined;
  readonly #peer: Deno.NetAddr;
  readonly #listener: string;
  readonly #started = performance.now();
  #identified: number | undefined;
  #dialed: number | undefined;
  #connected: number | undefined;
  #cut: Closing | undefined;
  #rejection: Promise<void> | undefined;
  #moved = -1;
  #quietSince = 0;

  constructor(conn: number, client: Duplex, peer: Deno.NetAddr, listener: string) {
    super();
    this.conn = conn;
    this.client = client;
    this.#peer = peer;
    this.#listener = listener;
  }

  /** Where the client connects from, as far as is known. */
  get source(): Endpoint {
    return this.passed?.source ?? this.#peer;
  }

  /** The client has said who it is. */
  identify(id: string): void {
    this.id = id;
    this.#identified = performance.now();
  }

  /** An attempt to reach an upstream begins. */
  dial(address: string): void {
    this.upstreamAddress = address;
    this.attempts += 1;
    this.#dialed = performance.now();
  }

  /** The upstream has been reached. */
  connect(upstream: Duplex): Duplex {
    this.upstream = upstream;
    this.#connected = performance.now();
    if (this.#cut) upstream.close();
    return upstream;
  }

  /**
   * Ends the connection from outside; the access line gives `closing` as the reason. Where `reject` is given, it has
   * the client to itself to send a rejection, and closes it; a second `cut` ends that too.
   */
  cut(closing: Closing, reject?: () => Promise<void>): void {
    this.#cut ??= closing;
    this.upstream?.close();
    if (reject && !this.#rejection) this.#rejection = reject();
    else this.client.close();
  }

  /** Sends the client a rejection, once: `send` is called unless another is under way or has been sent. */
  reject(send: () => Promise<void>): Promise<void> {
    return this.#rejection ??= send();
  }

  /** Settles once the client has been sent a rejection, where there is one. */
  get rejection(): Promise<void> | undefined {
    return this.#rejection;
  }

  /** Since when nothing has moved, as far as the looks until `now` can tell. */
  quietSince(now: number): number {
    const { up, down, client } = this;
    const moved = up.read + up.written + down.read + down.written + (client.keepalives ?? 0);
    if (moved !== this.#moved) {
      this.#moved = moved;
      this.#quietSince = now;
    }
    return this.#quietSince;
  }

  /** The access line of a connection that ended by `closing`, or by an earlier `cut`. */
  record(closing: Closing): AccessRecord {
    const now = performance.now();
    const { reason, closedBy, detail } = this.#cut ?? closing;
    return {
      time: new Date().toISOString(),
      conn: this.conn,
      client: addressText(this.source),
      listener: this.#listener,
      transport: this.upgrading ? "websocket" : this.client.transport,
      id: this.id ?? null,
      route: this.route ?? null,
      upstream: this.upstreamAddress ?? null,
      id_ms: between(this.#started, this.#identified),
      connect_ms: between(this.#dialed, this.#connected),
      duration_ms: between(this.#started, now) ?? 0,
      bytes_up: this.up.written,
      bytes_down: this.down.written,
      attempts: this.attempts,
      reason,
      closed_by: closedBy,
      ...(detail === undefined ? {} : { detail }),
    };
  }
}

interface Waiting {
  readonly last: number;
  readonly resolve: () => void;
}

/** Every open connection. */
export class Ledger {
  readonly #open = new LinkedList<Account>();
  readonly #report: (account: Account, closing: Closing) => void;
  #last = 0;
  #waiting: Waiting[] = [];

  /** @param report Called once for each connection, at its end. */
  constructor(report: (account: Account, closing: Closing) => void) {
    this.#report = report;
  }

  /** Number of connections that are open. */
  get active(): number {
    return this.#open.size;
  }

  /** Connections accepted since the start. */
  get total(): number {
    return this.#last;
  }

  open(client: Duplex, peer: Deno.NetAddr, listener: string): Account {
    const account = new Account(++this.#last, client, peer, listener);
    this.#open.join(account);
    return account;
  }

  close(account: Account, closing: Closing): void {
    this.#open.leave(account);
    this.#report(account, closing);
    if (this.#waiting.length > 0) this.#release();
  }

  /** Every open connection, the oldest first. */
  accounts(): Iterable<Account> {
    return this.#open;
  }

  /** Resolves once none of the first `last` connections since the start is open. */
  ended(last = Infinity): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ last, resolve });
      this.#release();
    });
  }

  /** Ends every open connection and waits until all are accounted for. */
  async cutAll(closing: Closing): Promise<void> {
    for (const account of this.#open) account.cut(closing);
    await this.ended();
  }

  #release(): void {
    const oldest = this.#open.first?.conn ?? Infinity;
    const due = ({ last }: Waiting) => oldest > last || this.#open.size === 0;
    for (const { resolve } of this.#waiting.filter(due)) resolve();
    this.#waiting = this.#waiting.filter((waiting) => !due(waiting));
  }
}

function between(from: number | undefined, to: number | undefined): number | null {
  return from === undefined || to === undefined ? null : Math.round((to - from) * 1000) / 1000;
}
