/** Resolves host names with the system's resolver, so that the hosts file counts, and caches the answers. */

import process from "node:process";
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import { sleep } from "../util/async.ts";
import { quote } from "../util/text.ts";
import { DialError } from "./dial_error.ts";

const log = getLogger("switchyard");

/** The addresses of a name, the preferred one first. Rejects if there are none. */
export type Lookup = (host: string) => Promise<readonly string[]>;

/**
 * Concurrent look-ups. The platform runs them on 32 threads that it also uses for other work, and one that hangs blocks
 * its thread for 5 seconds and more, so some must be left free.
 */
export const MOST_CONCURRENT = 16;

/** Names that may wait for a look-up; with a resolver that hangs, further ones would time out anyway. */
export const MOST_WAITING = 1000;

/** Cached names; beyond that the oldest answer is evicted. */
const MOST_CACHED = 10_000;

/** How long to wait for a look-up if there is an old answer to fall back on, in milliseconds. */
const PATIENCE_MS = 1000;

/** How long the last answer stays in use while the resolver fails, in milliseconds. */
const LAST_GOOD_MS = 3_600_000;

interface Answer {
  readonly addresses: readonly string[];
  /** When it arrived, on the resolver's clock. */
  readonly at: number;
  /** Whether a look-up has failed since. */
  readonly failing: boolean;
}

/** True for IPv4 and IPv6 addresses, which need no look-up. A host name cannot look like an address. */
export function isAddress(host: string): boolean {
  return host.includes(":") || /^[\d.]+$/.test(host);
}

/** Looks names up and caches the answers. It survives reloads. */
export class Resolver {
  readonly #lookup: Lookup;
  readonly #now: () => number;
  readonly #answers = new Map<string, Answer>();
  readonly #pending = new Map<string, Promise<readonly string[]>>();
  readonly #waiting: (() => void)[] = [];
  #concurrent = 0;

  constructor(lookup: Lookup = systemLookup, now = () => performance.now()) {
    this.#lookup = lookup;
    this.#now = now;
  }

  /** The addresses of `host` if they were looked up less than `ttl` milliseconds ago. */
  cached(host: string, ttl: number): readonly string[] | undefined {
    const answer = this.#answers.get(host);
    return answer && this.#now() - answer.at < ttl ? answer.addresses : undefined;
  }

  /**
   * The addresses of `host`. An answer older than `ttl` but less than twice as old is still returned, and refreshed in
   * the background. If the resolver fails or hangs, the last answer stays in use for an hour.
   *
   * @throws {DialError} `unresolved`
   */
  async resolve(host: string, ttl: number): Promise<readonly string[]> {
    const recent = this.cached(host, 2 * ttl);
    if (!recent) return await this.#lookupOrLast(host);
    if (!this.cached(host, ttl)) this.#refresh(host);
    return recent;
  }

  /**
   * Looks `host` up; concurrent calls for a name share one look-up.
   *
   * @throws {DialError} `unresolved`
   */
  lookup(host: string): Promise<readonly string[]> {
    const shared = this.#pending.get(host);
    if (shared) return shared;
    const pending = this.#lookUpInTurn(host);
    this.#pending.set(host, pending);
    const settled = () => void this.#pending.delete(host);
    pending.then(settled, settled);
    return pending;
  }

  async #lookupOrLast(host: string): Promise<readonly string[]> {
    const last = this.cached(host, LAST_GOOD_MS);
    if (!last) return await this.lookup(host);
    const answered = new AbortController();
    const patience = sleep(PATIENCE_MS, answered.signal).then(() => last);
    try {
      return await Promise.race([this.lookup(host), patience]);
    } catch {
      return last; // the first failure of several was logged
    } finally {
      answered.abort();
    }
  }

  #refresh(host: string): void {
    // failures are logged by #failed
    this.lookup(host).catch(() => {});
  }

  async #lookUpInTurn(host: string): Promise<readonly string[]> {
    if (this.#concurrent >= MOST_CONCURRENT) await this.#turn(host);
    else this.#concurrent += 1;
    try {
      return this.#store(host, await this.#lookup(host));
    } catch (error) {
      this.#failed(host, error);
      throw new DialError("unresolved", messageOf(error), { cause: error });
    } finally {
      this.#passTurn();
    }
  }

  #turn(host: string): Promise<void> {
    if (this.#waiting.length >= MOST_WAITING) {
      throw new DialError(
        "unresolved",
        `cannot look up ${quote(host)}: ${MOST_WAITING} other names are waiting for the resolver`,
      );
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Starts the look-up that has waited longest, if any. */
  #passTurn(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#concurrent -= 1;
  }

  #store(host: string, addresses: readonly string[]): readonly string[] {
    if (this.#answers.get(host)?.failing) log.info(`the name ${quote(host)} can be resolved again`);
    this.#answers.delete(host);
    this.#answers.set(host, { addresses, at: this.#now(), failing: false });
    const [oldest] = this.#answers.size > MOST_CACHED ? this.#answers.keys() : [];
    if (oldest !== undefined) this.#answers.delete(oldest);
    return addresses;
  }

  /** Logs the first failure since the last answer; without an answer the failed dial is logged instead. */
  #failed(host: string, error: unknown): void {
    const last = this.#answers.get(host);
    if (!last || last.failing) return;
    this.#answers.set(host, { ...last, failing: true });
    log.warning(`cannot resolve ${quote(host)}, using its last addresses: ${messageOf(error)}`);
  }
}

async function systemLookup(host: string): Promise<readonly string[]> {
  // Deno.resolveDns does not know the hosts file. Imported when the first name is looked up: it takes 20 ms, and in a
  // compiled binary of Deno 2.4.2 the platform would write a warning about a module of its own between the log lines.
  Object.assign(process, { noDeprecation: true });
  const dns = await import("node:dns/promises");
  const found = await dns.lookup(host, { all: true });
  if (found.length === 0) throw new Error(`getaddrinfo: no address for ${quote(host)}`);
  return found.map(({ address }) => address);
}
