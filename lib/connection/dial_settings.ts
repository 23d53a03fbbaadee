/** The settings for connections to upstreams, of one configuration. */

import type { Config } from "../config/config.ts";
import type { RedisRoutes } from "../route/redis/redis_routes.ts";
import type { UpstreamContexts } from "../transport/tls/client.ts";
import type { Dialer } from "../upstream/dialer.ts";
import type { Hold } from "../upstream/hold.ts";
import type { Pools, Upstreams } from "../upstream/upstreams.ts";

/** The part of a configuration's snapshot that concerns upstreams. */
export interface DialSettings {
  readonly proxyProtocol: Config["proxy_protocol"];
  /** TLS settings for upstreams. */
  readonly upstreamTls: UpstreamContexts;
  readonly dialer: Dialer;
  readonly pools: Pools;
  /** The servers with their connections and health. They survive reloads, and so do held clients. */
  readonly upstreams: Upstreams;
  readonly hold: Hold;
  /** Looks up IDs that are not in the table; undefined without `redis`. */
  readonly redis: RedisRoutes | undefined;
}
