/** Connects to upstreams within a time limit. */

import type { HostPort } from "../config/config.ts";
import type { TimeLimit } from "../util/deadlines.ts";
import { connectCanceller } from "./cancel.ts";
import { DialError, dialErrorOf } from "./dial_error.ts";
import { connectToFirst } from "./happy_eyeballs.ts";
import { isAddress, Resolver } from "./resolver.ts";
import { durationText } from "../util/text.ts";

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
}

/** Connects to upstreams. */
export class Dialer {
  readonly #connect: Connect;
  readonly #resolver: Resolver;
  readonly #ttl: number;

  constructor({ connect = Deno.connect, resolver = new Resolver(), dnsTtl = 30_000 }: DialerOptions = {}) {
    this.#connect = connect;
    this.#resolver = resolver;
    this.#ttl = dnsTtl;
  }

  /**
   * Connects to `host`, name resolution included, within `limit`. After that nothing is tried any more and what is
   * under way is cancelled: the kernel would retry a connect that nobody answers for two minutes.
   *
   * @throws {DialError}
   */
  dial({ host, port }: HostPort, limit: TimeLimit): Promise<Deno.TcpConn> {
    const canceller = connectCanceller();
    return limit.guard(
      this.#connectTo(host, port, canceller.signal),
      () => {
        canceller.abort();
        return new DialError("timeout", `no answer within ${durationText(limit.duration)}`);
      },
      (late) => late.close(),
    );
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
