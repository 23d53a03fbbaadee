/** Connects to upstreams within a time limit. */

import type { HostPort } from "../config/config.ts";
import type { TimeLimit } from "../util/deadlines.ts";
import { connectCanceller } from "./cancel.ts";
import { DialError, dialErrorOf } from "./dial_error.ts";
import { connectToFirst } from "./happy_eyeballs.ts";
import { isAddress, Resolver } from "./resolver.ts";

/** The part of `Deno.connect` that dialing needs; tests put their own in its place. */
export type Connect = (
  options: { hostname: string; port: number; signal?: AbortSignal },
) => Promise<Deno.TcpConn>;

/** Options of a dialer. */
export interface DialerOptions {
  /** @default Deno.connect */
  readonly connect?: Connect | undefined;
  /** Shared by dialers whose cached answers are to be shared. */
  readonly resolver?: Resolver;
  /** How long an answer of the resolver is valid, in milliseconds. @default 30000 */
  readonly dnsTtl?: number;
  /** Shared by dialers of one process. */
  readonly uncancelled?: UncancelledConnects;
}

/**
 * Connects under way that cannot be cancelled. A canceller costs 8 µs of processor time, a sixteenth of a short
 * connection; without one, a connect that nobody answers is retried by the kernel for two minutes. So the usual
 * connect, to the only address of a server that answers at once, gets none, as long as few such are unanswered.
 */
export class UncancelledConnects {
  /** Most at the same time. */
  static readonly MAX = 8;
  /** Number of those that are unanswered. */
  pending = 0;
}

/** Connects to upstreams. */
export class Dialer {
  readonly #connect: Connect;
  readonly #resolver: Resolver;
  readonly #ttl: number;
  readonly #uncancelled: UncancelledConnects;

  constructor(options: DialerOptions = {}) {
    this.#connect = options.connect ?? Deno.connect;
    this.#resolver = options.resolver ?? new Resolver();
    this.#ttl = options.dnsTtl ?? 30_000;
    this.#uncancelled = options.uncancelled ?? new UncancelledConnects();
  }

  /**
   * Connects to `host`, name resolution included, within `limit`. After that nothing is tried any more, and what is
   * under way is cancelled, except for a few connects (`UncancelledConnects`).
   *
   * @throws {DialError}
   */
  dial({ host, port }: HostPort, limit: TimeLimit): Promise<Deno.TcpConn> {
    const [address, ...others] = this.#cached(host) ?? [];
    const isUsual = address !== undefined && others.length === 0 &&
      this.#uncancelled.pending < UncancelledConnects.MAX;
    const canceller = isUsual ? undefined : connectCanceller();
    return limit.guard(
      canceller
        ? this.#connectTo(host, port, canceller.signal)
        : this.#connectUncancelled(address ?? host, port),
      () => {
        canceller?.abort();
        return new DialError("timeout", `no answer within ${limit.duration} ms`);
      },
      (late) => late.close(),
    );
  }

  async #connectUncancelled(hostname: string, port: number): Promise<Deno.TcpConn> {
    this.#uncancelled.pending += 1;
    try {
      return await this.#connect({ hostname, port });
    } catch (error) {
      throw dialErrorOf(error);
    } finally {
      this.#uncancelled.pending -= 1;
    }
  }

  async #connectTo(host: string, port: number, signal: AbortSignal): Promise<Deno.TcpConn> {
    try {
      const addresses = this.#cached(host) ?? await this.#resolver.resolve(host, this.#ttl);
      if (signal.aborted) throw new Deno.errors.Interrupted("the name was resolved too late");
      const [first, second] = addresses;
      const connectTo = (hostname: string, signal: AbortSignal) => this.#connect({ hostname, port, signal });
      if (first !== undefined && second === undefined) return await connectTo(first, signal);
      return await connectToFirst(addresses, connectTo, signal);
    } catch (error) {
      throw dialErrorOf(error);
    }
  }

  /** What need not be waited for: an address as it is, or a cached answer. */
  #cached(host: string): readonly string[] | undefined {
    return isAddress(host) ? [host] : this.#resolver.cached(host, this.#ttl);
  }
}
