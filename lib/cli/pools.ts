/** The lines of `check`, `routes` and `explain` about pools. */

import type { Config, PoolConfig } from "../config/config.ts";
import { Upstreams } from "../upstream/upstreams.ts";
import { durationText, hostPortText } from "../util/text.ts";

/** One line for each pool: its strategy and its checks. */
export function* poolSummaries({ pools }: Config): Generator<string> {
  for (const [name, { strategy, servers, health_check: check }] of Object.entries(pools)) {
    const backups = servers.filter(({ backup }) => backup).length;
    const checked = check ? `checked every ${durationText(check.interval)}` : "not checked";
    yield `pool ${name}: ${strategy} over ${
      servers.length - backups
    } servers and ${backups} backups, ${checked}`;
  }
}

/** The servers of each pool, one line each. */
export function* poolServers({ pools }: Config): Generator<string> {
  for (const [name, { strategy, servers }] of Object.entries(pools)) {
    for (const server of servers) {
      const weight = server.weight === 0 ? "drained (weight 0)" : `weight ${server.weight}`;
      const backup = server.backup ? ", backup" : "";
      yield `pool ${name}  ${strategy}  ${hostPortText(server)}  ${weight}${backup}`;
    }
  }
}

/** The servers of a pool that an ID tries. */
export function* explainPool(name: string, config: PoolConfig, id: string): Generator<string> {
  using upstreams = new Upstreams();
  const candidates = upstreams.build({ [name]: config }).get(name)?.candidates(id);
  const isAny = candidates !== undefined && candidates.left > 0;
  if (!isAny) yield `pool ${name}: every server is drained (weight 0): clients are refused`;
  let place = 0;
  for (let server = candidates?.next(); server; server = candidates?.next()) {
    const order = config.strategy === "hash" ? `${++place}. ` : "";
    yield `pool ${name}: ${order}${server.key}${
      server.backup ? ", once no other server can be reached" : ""
    }`;
  }
  const drained = config.servers.filter(({ weight }) => isAny && weight === 0);
  for (const server of drained) yield `pool ${name}: ${hostPortText(server)}, not tried: drained (weight 0)`;
  if (isAny && config.strategy !== "hash") yield `pool ${name}: the order depends on ${config.strategy}`;
}
