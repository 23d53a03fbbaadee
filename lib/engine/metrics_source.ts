/** The values that metrics read from an engine. */

import type { ConnectionRegistry } from "../connection/registry.ts";
import { countOpen } from "../observe/open_counts.ts";
import type { MetricsSource } from "../observe/metrics.ts";
import type { Pools } from "../upstream/upstreams.ts";
import type { Routing } from "./face.ts";

/** The values of an engine for a scrape: of its connections and its current routing. */
export function metricsSource(registry: ConnectionRegistry, snapshot: Routing): MetricsSource {
  return {
    threads: () => {
      const redis = snapshot.redis?.stats();
      return Promise.resolve([{ open: countOpen(registry), bytes: registry.bytes(), redis }]);
    },
    workers: () => ({ serving: 1, died: 0 }),
    ...routingSource(snapshot),
  };
}

/** The values that are the same in each of several threads. */
export function routingSource({ table, pools }: Routing): Pick<MetricsSource, "routes" | "servers"> {
  return { routes: () => table.size, servers: () => serversOf(pools) };
}

function* serversOf(pools: Pools) {
  for (const { name, servers } of pools.values()) {
    for (const { key, state, draining } of servers) {
      yield { pool: name, key, up: state === "up" && !draining };
    }
  }
}
