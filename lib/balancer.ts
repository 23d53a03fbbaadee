/** Composes the stages: listens, serves what it accepts, and ends. */

import { getLogger } from "@logtape/logtape";
import { type Account, type Closing, Ledger } from "./connection/registry.ts";
import { QuietWatch } from "./connection/idle_timeout.ts";
import type { Config, OnRemoval, Upstream } from "./config/config.ts";
import { serveConnection } from "./connection.ts";
import { dismiss, SHUTTING_DOWN } from "./connection/refuse.ts";
import type { InForce, Shared } from "./connection/snapshot.ts";
import { Deadlines } from "./util/deadlines.ts";
import { type Connect, Dialer } from "./upstream/dialer.ts";
import { type Lookup, Resolver } from "./upstream/resolver.ts";
import { Refusal } from "./errors.ts";
import { Admission } from "./admission/limiter.ts";
import { type Listen, Listeners } from "./listen/listeners.ts";
import { CaCertificates } from "./transport/tls/client.ts";
import { Occupancy } from "./admission/counts.ts";
import { sleep, spread, TimeSlice } from "./util/async.ts";
import type { ReloadResult } from "./observe/observer.ts";
import { difference } from "./route/diff.ts";
import { RouteTable } from "./route/table.ts";

const log = getLogger("switchyard");
const accessLog = getLogger(["switchyard", "access"]);

/** How long a last word may take to arrive before the balancer closes, in milliseconds. */
const LAST_WORD_MS = 500;

/** What tests put in place of the platform. */
export interface BalancerOptions {
  /** @default Deno.listen */
  listen?: Listen;
  /** @default Deno.connect */
  connect?: Connect;
  /** @default the system's resolver */
  lookup?: Lookup;
}

/** A running balancer. */
export class Balancer implements InForce, AsyncDisposable {
  readonly #listeners: Listeners;
  readonly #ledger = new Ledger((account, closing) => report(account, closing, this.#config.log.access));
  readonly #quiet = new QuietWatch(this.#ledger);
  readonly #connect: Connect | undefined;
  readonly #resolver: Resolver;
  readonly #occupancy = new Occupancy<Account>();
  /** By kind and duration. They outlast a reload, since connections go on under the ones that they began with. */
  readonly #deadlines = new Map<string, Deadlines>();
  readonly #closed = new AbortController();
  #config: Config;
  #shared: Shared;
  #draining: Promise<number> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(config: Config, { listen, connect, lookup }: BalancerOptions) {
    this.#config = config;
    this.#connect = connect;
    this.#resolver = new Resolver(lookup);
    this.#shared = this.#share(config, new RouteTable(config.routes, config.default));
    this.#listeners = new Listeners((conn, entrance) => void serveConnection(conn, entrance, this), listen);
  }

  /**
   * Opens every listener of `config` and serves.
   *
   * @throws Error naming the address that could not be listened on; nothing is left open then.
   */
  static start(config: Config, options: BalancerOptions = {}): Balancer {
    const balancer = new Balancer(config, options);
    balancer.#listeners.change(config.listeners);
    balancer.#quiet.cover(config.timeouts);
    return balancer;
  }

  /** What connections work with from now on. */
  get shared(): Shared {
    return this.#shared;
  }

  /** Where it listens, with the ports that the system chose for port 0. */
  get addresses(): Deno.NetAddr[] {
    return this.#listeners.addresses;
  }

  /** Number of connections open now. */
  get active(): number {
    return this.#ledger.active;
  }

  /**
   * Puts `config` in force, all of it in one step; connections that are open go on as they began, but for those whose
   * route is gone and has an `on_removal`. One call at a time.
   *
   * @throws Error where a listener cannot be opened, or while it drains; nothing has changed then.
   */
  async reload(config: Config): Promise<ReloadResult> {
    const before = this.#shared.table;
    const table = await RouteTable.build(config.routes, config.default);
    const change = await difference(before, table);
    if (this.#draining || this.#closing) throw new Error("the balancer is shutting down");
    const shared = this.#share(config, table);
    this.#listeners.change(config.listeners);
    this.#config = config;
    this.#shared = shared;
    this.#adopt(shared);
    this.#quiet.cover(config.timeouts);
    return { ...change, connections: await this.#leave(before) };
  }

  /**
   * Turns new connections away, lets those that run go on until they end or `timeouts.drain` is over, and closes.
   * Resolves to the number of connections that had to be ended.
   */
  drain(): Promise<number> {
    return this.#draining ??= this.#drain();
  }

  /** Stops listening, ends every connection and waits until all are accounted for. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #share(config: Config, table: RouteTable): Shared {
    const idDeadlines = this.#deadlinesOf("id", config.timeouts.id);
    return {
      ledger: this.#ledger,
      admission: new Admission(config, this.#occupancy, idDeadlines),
      draining: false,
      table,
      idBytes: config.limits.id_bytes,
      forwardId: config.forward_id,
      proxyProtocol: config.proxy_protocol,
      idDeadlines,
      connectDeadlines: this.#deadlinesOf("connect", config.timeouts.connect),
      certificates: new CaCertificates(upstreamsOf(config)),
      quiet: config.timeouts,
      dialer: new Dialer({ connect: this.#connect, resolver: this.#resolver, dnsTtl: config.dns_ttl }),
    };
  }

  #deadlinesOf(kind: "id" | "connect", duration: number): Deadlines {
    const key = `${kind} ${duration}`;
    const deadlines = this.#deadlines.get(key) ?? new Deadlines(duration);
    this.#deadlines.set(key, deadlines);
    return deadlines;
  }

  async #drain(): Promise<number> {
    const last = this.#ledger.total;
    log.info(
      `draining: ${this.active} connections may go on for ${this.#config.timeouts.drain} ms; new ones are turned away`,
    );
    this.#shared = { ...this.#shared, draining: true };
    const over = this.#whenEnded(last);
    const left = () => [...this.#ledger.accounts()].filter(({ conn }) => conn <= last);
    const ended = await this.#endSlowly(left, SHUTTING_DOWN, over);
    for (const account of this.#ledger.accounts()) {
      // those that came late and said nothing; the others have been told
      if (account.id === undefined && !account.rejection) dismiss(account, DRAINED, SHUTTING_DOWN);
    }
    await sleep(LAST_WORD_MS, this.#whenEnded());
    await this.close();
    log[ended > 0 ? "warning" : "info"](
      `drained: ${ended} connections were closed at the end of timeouts.drain`,
    );
    return ended;
  }

  /** Holds what is open against limits that are new. What has no route yet will be claimed when it has. */
  #adopt({ admission }: Shared): void {
    for (const account of this.#ledger.accounts()) {
      const { source, id, route } = account;
      if (id !== undefined && route !== undefined) admission.adopt(account, source.hostname, id);
    }
  }

  /** Ends the connections of rules that are no longer in the table, as those rules say. Gives their number. */
  async #leave(before: RouteTable): Promise<number> {
    const slice = new TimeSlice();
    const draining: Account[] = [];
    let closed = 0;
    for (const account of this.#ledger.accounts()) {
      if (slice.over) await slice.rest();
      const onRemoval = account.joined ? this.#onRemoval(account, before) : "keep";
      if (onRemoval === "drain") draining.push(account);
      if (onRemoval !== "close") continue;
      closed += 1;
      dismiss(account, REMOVED, ROUTE_REMOVED);
    }
    const stillGone = ({ route = "" }: Account) => !this.#shared.table.named(route);
    if (draining.length > 0) void this.#endSlowly(() => draining.filter(stillGone), ROUTE_REMOVED);
    return closed + draining.length;
  }

  #onRemoval({ route }: Account, before: RouteTable): OnRemoval {
    if (route === undefined || this.#shared.table.named(route)) return "keep";
    return before.named(route)?.onRemoval ?? "keep";
  }

  /**
   * Ends one by one, over the last part of `timeouts.drain`, what `left` then gives of the connections that are still
   * open. Gives their number.
   */
  async #endSlowly(
    left: () => readonly Account[],
    refusal: Refusal,
    over = this.#closed.signal,
  ): Promise<number> {
    const { drain, drain_spread } = this.#config.timeouts;
    await sleep(drain - drain_spread, over);
    let ended = 0;
    const end = (account: Account) => {
      if (!account.joined) return;
      ended += 1;
      dismiss(account, DRAINED, refusal);
    };
    await spread(left(), drain_spread, end, over);
    return ended;
  }

  /** Aborted once the first `last` connections since the start have ended, or the balancer is closed. */
  #whenEnded(last?: number): AbortSignal {
    const ended = new AbortController();
    void this.#ledger.ended(last).then(() => ended.abort());
    return AbortSignal.any([ended.signal, this.#closed.signal]);
  }

  async #close(): Promise<void> {
    this.#closed.abort();
    this.#quiet.close();
    await this.#listeners.close();
    const ended = this.#ledger.cutAll(DRAINED);
    // a connection ends when its dialing does, and timeouts.connect may be longer than anybody waits for the end
    for (const deadlines of this.#deadlines.values()) deadlines.expireAll();
    await ended;
    for (const deadlines of this.#deadlines.values()) deadlines.close();
  }
}

function* upstreamsOf({ routes, default: fallback }: Config): Generator<Upstream> {
  yield* routes;
  if (fallback) yield fallback;
}

const DRAINED: Closing = { reason: "drain", closedBy: "balancer" };
const REMOVED: Closing = { reason: "kicked", closedBy: "balancer", detail: "its route was removed" };
const ROUTE_REMOVED = new Refusal("SHUTTING_DOWN", "the route of this ID was removed; connect again");

/** One line a connection: probes at debug level, faults of our own at error level, everything else at info. */
function report(account: Account, closing: Closing, access: boolean): void {
  const { reason } = closing;
  if (reason === "internal") log.error("connection failed", { ...account.record(closing) });
  else if (reason === "probe") {
    if (accessLog.isEnabledFor("debug")) accessLog.debug("probe", { ...account.record(closing) });
  } else if (access && accessLog.isEnabledFor("info")) {
    accessLog.info("access", { ...account.record(closing) });
  }
}
