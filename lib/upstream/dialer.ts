/** Reaching an upstream within a deadline. */

import type { HostPort } from "../config/config.ts";
import type { Deadlines } from "../util/deadlines.ts";
import { sleep } from "../util/async.ts";
import { connectCanceller } from "./cancel.ts";
import { isAddress, Names } from "./resolver.ts";

/** What dialing needs of the platform; tests put their own in its place. */
export type Connect = (
  options: { hostname: string; port: number; signal?: AbortSignal },
) => Promise<Deno.TcpConn>;

/** How long an address may leave a connect unanswered before the next is tried beside it (RFC 8305, section 5). */
const NEXT_ADDRESS_MS = 250;

/** What a dialer works with. */
export interface DialerOptions {
  /** @default Deno.connect */
  readonly connect?: Connect | undefined;
  /** Shared with others where answers are to be shared. */
  readonly names?: Names;
  /** How long an answer of the resolver holds, in milliseconds. @default 30000 */
  readonly dnsTtl?: number;
}

/** Connects to upstreams. */
export class Dialer {
  readonly #connect: Connect;
  readonly #names: Names;
  readonly #ttl: number;
  /** Connects that the system still tries though their deadline is over. */
  #late = 0;

  constructor({ connect = Deno.connect, names = new Names(), dnsTtl = 30_000 }: DialerOptions = {}) {
    this.#connect = connect;
    this.#names = names;
    this.#ttl = dnsTtl;
  }

  /**
   * Connects to `upstream`, name resolution included, within the deadline.
   *
   * The usual case, an address that answers, gets no canceller of its own. A connect to one that does not answer goes
   * on for two minutes if nobody ends it, so as long as there are such connects all new ones can be cancelled.
   *
   * @throws {Deno.errors.TimedOut} at the deadline, and what the resolver and the system throw.
   */
  dial({ host, port }: HostPort, deadlines: Deadlines): Promise<Deno.TcpConn> {
    const address = isAddress(host) ? host : this.#only(host);
    const canceller = address === undefined || this.#late > 0 ? connectCanceller() : undefined;
    const attempt = canceller
      ? this.#connectTo(address ?? host, port, canceller.signal)
      : this.#connect({ hostname: address ?? host, port });
    return deadlines.guard(
      attempt,
      () => {
        if (canceller) canceller.abort();
        else this.#countLate(attempt);
        return new Deno.errors.TimedOut(`no answer within ${deadlines.duration} ms`);
      },
      (late) => late.close(),
    );
  }

  /** The address of `host` where the resolver's answer is still good and holds only one. */
  #only(host: string): string | undefined {
    const known = this.#names.known(host, this.#ttl);
    return known?.length === 1 ? known[0] : undefined;
  }

  #countLate(attempt: Promise<Deno.TcpConn>): void {
    this.#late += 1;
    const ended = () => void (this.#late -= 1);
    attempt.then(ended, ended);
  }

  async #connectTo(host: string, port: number, signal: AbortSignal): Promise<Deno.TcpConn> {
    if (isAddress(host)) return await this.#connect({ hostname: host, port, signal });
    const addresses = this.#names.known(host, this.#ttl) ?? await this.#names.ask(host);
    if (signal.aborted) throw new Deno.errors.Interrupted("the name was found too late");
    const [only, second] = addresses;
    if (only !== undefined && second === undefined) return await this.#connectTo(only, port, signal);
    return await connectToAny(
      addresses,
      (hostname, signal) => this.#connect({ hostname, port, signal }),
      signal,
    );
  }
}

/**
 * Tries each address in turn, the next as soon as one fails or leaves its connect unanswered for a while. The first
 * connection wins, and the others are cancelled.
 *
 * @param signal Must not be aborted yet.
 * @throws what the first address failed with, where all fail.
 */
async function connectToAny(
  addresses: readonly string[],
  connect: (address: string, signal: AbortSignal) => Promise<Deno.TcpConn>,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  const canceller = connectCanceller();
  const cancel = () => canceller.abort();
  signal.addEventListener("abort", cancel);
  try {
    return await new Race((address) => connect(address, canceller.signal)).run(addresses);
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

class Race {
  readonly #connect: (address: string) => Promise<Deno.TcpConn>;
  readonly #attempts: Promise<Deno.TcpConn>[] = [];
  #settled = new AbortController();
  #isWon = false;

  constructor(connect: (address: string) => Promise<Deno.TcpConn>) {
    this.#connect = connect;
  }

  async run(addresses: readonly string[]): Promise<Deno.TcpConn> {
    for (const address of addresses) {
      if (this.#isWon) break;
      this.#settled = new AbortController();
      const attempt = this.#enter(address);
      // whoever fails before all have been tried is heard below
      attempt.catch(() => {});
      this.#attempts.push(attempt);
      await sleep(NEXT_ADDRESS_MS, this.#settled.signal);
    }
    try {
      return await Promise.any(this.#attempts);
    } catch (error) {
      throw error instanceof AggregateError ? error.errors[0] : error;
    }
  }

  async #enter(address: string): Promise<Deno.TcpConn> {
    try {
      const conn = await this.#connect(address);
      if (this.#isWon) conn.close();
      this.#isWon = true;
      return conn;
    } finally {
      this.#settled.abort();
    }
  }
}
