/** Names of upstreams, looked up by the system's resolver: so the hosts file counts. */

import process from "node:process";
import { quote } from "../util/text.ts";

/** The addresses of a name, the one to try first in front. Rejects where there are none. */
export type Lookup = (host: string) => Promise<readonly string[]>;

/**
 * Look-ups under way at the same time. The platform runs them on 32 threads that it also uses for other things, and
 * one that hangs holds its thread for 5 seconds and more: some must be left over.
 */
export const MOST_UNDER_WAY = 16;

/** Names that may wait for their look-up; with a resolver that hangs nobody waits long enough for those behind them. */
export const MOST_WAITING = 1000;

/** Names that are remembered; the oldest answer gives way. */
const MOST_REMEMBERED = 10_000;

interface Answer {
  readonly addresses: readonly string[];
  /** When it came, in milliseconds of `performance.now`. */
  readonly at: number;
}

/** True for IPv4 and IPv6 addresses, which need no look-up. A name that could be taken for one is no host name. */
export function isAddress(host: string): boolean {
  return host.includes(":") || /^[\d.]+$/.test(host);
}

/** Answers of the resolver. They outlast a reload. */
export class Names {
  readonly #lookup: Lookup;
  readonly #answers = new Map<string, Answer>();
  readonly #asked = new Map<string, Promise<readonly string[]>>();
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(lookup: Lookup = systemLookup) {
    this.#lookup = lookup;
  }

  /** The addresses of `host` where an answer came less than `ttl` milliseconds ago. */
  known(host: string, ttl: number): readonly string[] | undefined {
    const answer = this.#answers.get(host);
    return answer && performance.now() - answer.at < ttl ? answer.addresses : undefined;
  }

  /** Looks `host` up; all who ask while that is under way share the answer. Rejects where there is none. */
  ask(host: string): Promise<readonly string[]> {
    const shared = this.#asked.get(host);
    if (shared) return shared;
    const asked = this.#lookUpInTurn(host);
    this.#asked.set(host, asked);
    const answered = () => void this.#asked.delete(host);
    asked.then(answered, answered);
    return asked;
  }

  async #lookUpInTurn(host: string): Promise<readonly string[]> {
    if (this.#underWay >= MOST_UNDER_WAY) await this.#turn(host);
    else this.#underWay += 1;
    try {
      return this.#remember(host, await this.#lookup(host));
    } finally {
      this.#passTurn();
    }
  }

  #turn(host: string): Promise<void> {
    if (this.#waiting.length >= MOST_WAITING) {
      throw new Error(`cannot look up ${quote(host)}: ${MOST_WAITING} other names wait for the resolver`);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Whoever waits longest takes the place over; without anybody it is free. */
  #passTurn(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#underWay -= 1;
  }

  #remember(host: string, addresses: readonly string[]): readonly string[] {
    this.#answers.delete(host);
    this.#answers.set(host, { addresses, at: performance.now() });
    const [oldest] = this.#answers.size > MOST_REMEMBERED ? this.#answers.keys() : [];
    if (oldest !== undefined) this.#answers.delete(oldest);
    return addresses;
  }
}

async function systemLookup(host: string): Promise<readonly string[]> {
  // Deno.resolveDns does not know the hosts file. Imported when the first name is met: it takes 20 ms, and in a
  // compiled binary of Deno 2.4.2 the platform would warn among the lines of the log of a module of its own.
  Object.assign(process, { noDeprecation: true });
  const dns = await import("node:dns/promises");
  const found = await dns.lookup(host, { all: true });
  if (found.length === 0) throw new Error(`getaddrinfo: no address for ${quote(host)}`);
  return found.map(({ address }) => address);
}
