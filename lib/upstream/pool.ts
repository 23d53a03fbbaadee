/** Servers for the same IDs, in the order in which a connection tries them. */

import type { PoolConfig } from "../config/config.ts";
import type { Server } from "./server.ts";
import type { Strategy } from "./strategies.ts";

/** The target of a route: one server, or several. */
export interface Pool {
  /** Undefined for a server that a route names by host and port. */
  readonly name: string | undefined;
  /** The servers that a connection of `id` tries, in order. */
  candidates(id: string): Candidates;
}

/** The servers that one connection tries, each once. Each is picked only when it is requested. */
export interface Candidates {
  /** Number of servers that have not been picked yet. */
  readonly left: number;
  /** Picks the next; undefined if none is left. */
  next(): Server | undefined;
}

type NonEmpty = readonly [Server, ...Server[]];

/** Tiers of servers: all of one are tried before any of the next. */
class TieredCandidates implements Candidates {
  readonly #id: string;
  readonly #strategy: Strategy;
  readonly #tiers: (readonly Server[])[];

  constructor(id: string, strategy: Strategy, tiers: readonly (readonly Server[])[]) {
    this.#id = id;
    this.#strategy = strategy;
    this.#tiers = tiers.filter(isNonEmpty);
  }

  get left(): number {
    return this.#tiers.reduce((sum, { length }) => sum + length, 0);
  }

  next(): Server | undefined {
    const [tier] = this.#tiers;
    if (!tier || !isNonEmpty(tier)) return undefined;
    const picked = this.#strategy(this.#id, tier);
    const rest = tier.filter((server) => server !== picked);
    if (rest.length > 0) this.#tiers[0] = rest;
    else this.#tiers.shift();
    return picked;
  }
}

/** A pool of one server: the target of a route to `host:port`. */
export class SinglePool implements Pool {
  readonly name = undefined;
  readonly server: Server;

  constructor(server: Server) {
    this.server = server;
  }

  candidates(): Candidates {
    return new OnlyCandidate(this.server);
  }
}

class OnlyCandidate implements Candidates {
  #server: Server | undefined;

  constructor(server: Server) {
    this.#server = server;
  }

  get left(): number {
    return this.#server ? 1 : 0;
  }

  next(): Server | undefined {
    const server = this.#server;
    this.#server = undefined;
    return server;
  }
}

/** Options of a pool. */
export interface PoolOptions {
  readonly name: string;
  readonly config: PoolConfig;
  /** In the order of the configuration. */
  readonly servers: readonly Server[];
  readonly strategy: Strategy;
  /** Called when `panicking` changes. */
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

  /** Whether no server was healthy at the last pick, so that all are tried. */
  get panicking(): boolean {
    return this.#panicking;
  }

  /** Updates `panicking` in a thread that picks no servers itself. */
  refresh(): void {
    this.#healthy();
  }

  /** Healthy servers, then healthy backups. If none is healthy all are tried: the checks may be wrong. */
  candidates(id: string): Candidates {
    const tried = this.#healthy();
    const tiers = [tried.filter(({ backup }) => !backup), tried.filter(({ backup }) => backup)];
    return new TieredCandidates(id, this.#strategy, tiers);
  }

  /** Those in use that are healthy; all in use if none is. */
  #healthy(): readonly Server[] {
    const inUse = this.servers.filter(({ draining }) => !draining);
    const healthy = inUse.filter(({ state }) => state === "up");
    this.#panic(healthy.length === 0 && inUse.length > 0);
    return healthy.length > 0 ? healthy : inUse;
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
