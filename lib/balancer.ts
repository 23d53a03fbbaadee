/** Composes the stages: listens, serves what it accepts, and ends. */

import { getLogger } from "@logtape/logtape";
import { type Account, addressText, type Closing, Ledger } from "./account/ledger.ts";
import type { Config, HostPort } from "./config/config.ts";
import { serveConnection, share, type Shared } from "./connection.ts";
import type { Connect } from "./dial/connect.ts";
import { acceptEach } from "./listen/accept.ts";

const log = getLogger("switchyard");
const accessLog = getLogger(["switchyard", "access"]);

/** Connections that may wait to be accepted; with the platform's 511 a burst of thousands meets SYN retries. */
const BACKLOG = 4096;

/** `Deno.listen` takes `tcpBacklog` on 2.9.6, though its types don't say so; versions that don't know it ignore it. */
type ListenOptions = Deno.TcpListenOptions & { hostname: string; tcpBacklog: number };

/** What tests put in place of the platform. */
export interface BalancerOptions {
  /** @default Deno.listen */
  listen?: (options: ListenOptions) => Deno.TcpListener;
  /** @default Deno.connect */
  connect?: Connect;
}

/** A running balancer. */
export class Balancer implements AsyncDisposable {
  readonly #listeners: Deno.TcpListener[] = [];
  readonly #ledger: Ledger;
  readonly #shared: Shared;
  readonly #accepting: Promise<void>[] = [];

  private constructor(config: Config, options: BalancerOptions) {
    this.#ledger = new Ledger((account, closing) => report(account, closing, config.log.access));
    this.#shared = share(config, this.#ledger, options.connect);
  }

  /**
   * Opens every listener of `config` and serves.
   *
   * @throws Error naming the address that could not be listened on; nothing is left open then.
   */
  static start(config: Config, options: BalancerOptions = {}): Balancer {
    const balancer = new Balancer(config, options);
    try {
      for (const { address } of config.listeners) balancer.#open(address, options.listen ?? Deno.listen);
    } catch (error) {
      for (const listener of balancer.#listeners) listener.close();
      throw error;
    }
    for (const listener of balancer.#listeners) balancer.#accepting.push(balancer.#serve(listener));
    return balancer;
  }

  /** Where it listens, with the ports that the system chose for port 0. */
  get addresses(): Deno.NetAddr[] {
    return this.#listeners.map((listener) => listener.addr);
  }

  /** Number of connections open now. */
  get active(): number {
    return this.#ledger.active;
  }

  /** Stops listening, ends every connection and waits until all are accounted for. */
  async close(): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    await Promise.all(this.#accepting);
    await this.#ledger.cutAll({ reason: "drain", closedBy: "balancer" });
    this.#shared.idDeadlines.close();
    this.#shared.connectDeadlines.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #open({ host, port }: HostPort, listen: NonNullable<BalancerOptions["listen"]>): void {
    try {
      this.#listeners.push(listen({ hostname: host, port, tcpBacklog: BACKLOG }));
    } catch (error) {
      throw new Error(`cannot listen on ${addressText({ hostname: host, port })}: ${listenProblem(error)}`, {
        cause: error,
      });
    }
  }

  async #serve(listener: Deno.TcpListener): Promise<void> {
    const name = addressText(listener.addr);
    log.info(`listening on ${name}`);
    await acceptEach(listener, (conn) => void serveConnection(conn, name, this.#shared), {
      onPause: (error, ms) => log.error(`cannot accept on ${name}: ${error}; trying again in ${ms} ms`),
    });
  }
}

function listenProblem(error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) {
    return "the address is in use; stop what uses it or choose another";
  }
  if (error instanceof Deno.errors.AddrNotAvailable) return "no interface of this machine has the address";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "the system does not permit it; try a port over 1023";
  }
  return error instanceof Error ? error.message : String(error);
}

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
