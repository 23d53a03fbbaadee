/** The servers that a configuration names. */

import type { Config, Upstream } from "./config.ts";

type Named = Pick<Config, "routes" | "default" | "pools">;

/** Every server of routes, the default and pools with its path in the configuration, such as `routes[3]` or `pools.eu.servers[0]`. */
export function* serverFields(
  { routes, default: fallback, pools }: Named,
): Generator<[path: string, server: Upstream]> {
  for (const [index, route] of routes.entries()) {
    if (route.pool === undefined) yield [`routes[${index}]`, route];
  }
  if (fallback && fallback.pool === undefined) yield ["default", fallback];
  for (const [name, { servers }] of Object.entries(pools)) {
    for (const [index, server] of servers.entries()) yield [`pools.${name}.servers[${index}]`, server];
  }
}

/** The same without the paths, which take time if there are many routes. */
export function* serversOf({ routes, default: fallback, pools }: Named): Generator<Upstream> {
  for (const route of routes) if (route.pool === undefined) yield route;
  if (fallback && fallback.pool === undefined) yield fallback;
  for (const { servers } of Object.values(pools)) yield* servers;
}
