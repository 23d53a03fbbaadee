/** Connects to upstreams within a time limit. */

import type { HostPort } from "../config/config.ts";
import type { TimeLimit } from "../util/deadlines.ts";
import { connectCanceller } from "./cancel.ts";
import { DialError, dialErrorOf } from "./dial_error.ts";
import { connectToFirst } from "./happy_eyeballs.ts";
import { isAddress, Resolver } from "./resolver.ts";
import { durationText } from "../util/text.ts";

/** The part of `Deno.connect` that dialing needs; tests replace it. */
export type Connect = (
  options: { hostname: string; port: number; signal?: AbortSignal },
) => Promise<Deno.TcpConn>;

/** Options of a dialer. */
export interface DialerOptions {
  /** @default Deno.connect */
  readonly connect?: Connect | undefined;
  /** A resolver whose cache is shared with other dialers. */
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
   * Resolves `host` and connects to it within `limit`. Then all attempts are cancelled: the kernel would retry an
   * unanswered connect for two minutes.
   *
   * @throws {DialError}, or what the system reports of the only address (`dialErrorOf` classifies it)
   */
  dial({ host, port }: HostPort, limit: TimeLimit): Promise<Deno.TcpConn> {
    const canceller = connectCanceller();
    const { signal } = canceller;
    const hostname = this.#onlyAddress(host);
    // no async function around the usual case: it would cost each connection part of a microsecond
    const connecting = hostname === undefined
      ? this.#connectToName(host, port, signal)
      : this.#connect({ hostname, port, signal });
    return limit.guard(connecting, () => {
      canceller.abort();
      return new DialError("timeout", `no answer within ${durationText(limit.duration)}`);
    }, closeLate);
  }

  async #connectToName(host: string, port: number, signal: AbortSignal): Promise<Deno.TcpConn> {
    try {
      const addresses = await this.#resolver.resolve(host, this.#ttl);
      if (signal.aborted) throw new Deno.errors.Interrupted("the name was resolved too late");
      const connectTo = (hostname: string, signal: AbortSignal) => this.#connect({ hostname, port, signal });
      const [first, second] = addresses;
      if (first !== undefined && second === undefined) return await connectTo(first, signal);
      return await connectToFirst(addresses, connectTo, signal);
    } catch (error) {
      throw dialErrorOf(error);
    }
  }

  /** `host` itself if it is an address, or the only address of a cached answer. */
  #onlyAddress(host: string): string | undefined {
    if (isAddress(host)) return host;
    const cached = this.#resolver.cached(host, this.#ttl);
    return cached?.length === 1 ? cached[0] : undefined;
  }
}

function closeLate(conn: Deno.TcpConn): void {
  conn.close();
}
