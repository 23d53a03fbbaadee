/** Servers for the same IDs, in the order in which a connection tries them. */

import type { PoolConfig } from "../config/config.ts";
import type { Server } from "./server.ts";
import type { Strategy } from "./strategies.ts";

/** Where the connections of a route go: one server, or several. */
export interface Pool {
  /** Undefined for a server that a route names by host and port. */
  readonly name: string | undefined;
  /** The servers that a connection of `id` tries, in order. */
  candidates(id: string): Candidates;
}

type NonEmpty = readonly [Server, ...Server[]];

/** The servers that one connection tries, each once. Each is picked when it is asked for, not before. */
export class Candidates implements Iterable<Server> {
  readonly #id: string;
  readonly #tiers: readonly (readonly Server[])[];
  readonly #strategy: Strategy | undefined;
  #left: number;

  /**
   * @param tiers All servers of a tier are tried before those of the next.
   * @param strategy Picks within a tier; without it the first is picked.
   */
  constructor(id: string, tiers: readonly (readonly Server[])[], strategy?: Strategy) {
    this.#id = id;
    this.#tiers = tiers;
    this.#strategy = strategy;
    this.#left = tiers.reduce((sum, { length }) => sum + length, 0);
  }

  /** Number of servers that have not been picked yet. */
  get left(): number {
    return this.#left;
  }

  *[Symbol.iterator](): Generator<Server> {
    for (const tier of this.#tiers) {
      for (let rest = tier; isNonEmpty(rest);) {
        const picked = this.#strategy?.(this.#id, rest) ?? rest[0];
        rest = rest.filter((server) => server !== picked);
        this.#left -= 1;
        yield picked;
      }
    }
  }
}

/** A pool of one, behind a route to `host:port`. */
export function poolOf(server: Server): Pool {
  return { name: undefined, candidates: (id) => new Candidates(id, [[server]]) };
}

/** What a pool is made of. */
export interface PoolOptions {
  readonly name: string;
  readonly config: PoolConfig;
  /** In the order of the configuration. */
  readonly servers: readonly Server[];
  readonly strategy: Strategy;
  /** Called when `panicking` has changed. */
  readonly onPanic?: ((pool: ServerPool) => void) | undefined;
}

/** The servers of a configured pool. */
export class ServerPool implements Pool {
  readonly name: string;
  readonly config: PoolConfig;
  /** In the order of the configuration. */
  readonly servers: readonly Server[];
  readonly #strategy: Strategy;
  readonly #onPanic: PoolOptions["onPanic"];
  #panicking = false;

  constructor({ name, config, servers, strategy, onPanic }: PoolOptions) {
    this.name = name;
    this.config = config;
    this.servers = servers;
    this.#strategy = strategy;
    this.#onPanic = onPanic;
  }

  /** Whether no server was healthy when one was last asked for, so that all are tried. */
  get panicking(): boolean {
    return this.#panicking;
  }

  /** Healthy servers, then healthy backups. Where none is healthy all are tried: the checks may be wrong. */
  candidates(id: string): Candidates {
    const inUse = this.servers.filter(({ draining }) => !draining);
    const healthy = inUse.filter(({ state }) => state === "up");
    this.#panic(healthy.length === 0 && inUse.length > 0);
    const tried = healthy.length > 0 ? healthy : inUse;
    const tiers = [tried.filter(({ backup }) => !backup), tried.filter(({ backup }) => backup)];
    return new Candidates(id, tiers, this.#strategy);
  }

  #panic(panicking: boolean): void {
    if (panicking === this.#panicking) return;
    this.#panicking = panicking;
    this.#onPanic?.(this);
  }
}

function isNonEmpty(servers: readonly Server[]): servers is NonEmpty {
  return servers.length > 0;
}
