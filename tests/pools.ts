/** Pools on loopback for tests. */

import type { BalancerOptions } from "../lib/balancer.ts";
import type { Config, PoolConfig } from "../lib/config/config.ts";
import type { Candidates } from "../lib/upstream/pool.ts";
import type { Server } from "../lib/upstream/server.ts";
import { type Changes, configTo, startBalancer } from "./fixture.ts";

/** Settings of a pool that a test replaces. */
export type PoolChanges = Partial<PoolConfig>;

/** A pool of servers of loopback, tried in this order. */
export function poolOn(ports: readonly number[], changes: PoolChanges = {}): PoolConfig {
  return {
    strategy: "round_robin",
    servers: ports.map((port) => ({ host: "127.0.0.1", port, weight: 1, backup: false })),
    max_fails: 0,
    fail_duration: 60_000,
    slow_start: 0,
    max_connections: 0,
    ...changes,
  };
}

/** A configuration in which every ID goes to `pool`. */
export function configToPool(pool: PoolConfig, changes: Changes = {}): Config {
  return configTo(9, { routes: [{ match: "*", pool: "eu" }], pools: { eu: pool }, ...changes });
}

/** A balancer that sends every ID to `pool`. */
export function startPool(pool: PoolConfig, options?: BalancerOptions, changes?: Changes) {
  return startBalancer(configToPool(pool, changes), options);
}

/** The remaining candidates, in order. */
export function all(candidates: Candidates | undefined): Server[] {
  const servers: Server[] = [];
  for (let server = candidates?.next(); server; server = candidates?.next()) servers.push(server);
  return servers;
}
