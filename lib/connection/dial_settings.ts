/** What connections to upstreams are made with, under one configuration. */

import type { Config } from "../config/config.ts";
import type { RedisRoutes } from "../route/redis/redis_routes.ts";
import type { UpstreamContexts } from "../transport/tls/client.ts";
import type { Dialer } from "../upstream/dialer.ts";
import type { Hold } from "../upstream/hold.ts";
import type { Pools, Upstreams } from "../upstream/upstreams.ts";

/** The part of a configuration's snapshot that is about upstreams. */
export interface DialSettings {
  readonly proxyProtocol: Config["proxy_protocol"];
  /** How TLS is used to upstreams. */
  readonly upstreamTls: UpstreamContexts;
  readonly dialer: Dialer;
  readonly pools: Pools;
  /** The servers' connections and health. They outlive a reload, and so do held clients. */
  readonly upstreams: Upstreams;
  readonly hold: Hold;
  /** Where IDs are looked up that the table does not name; undefined without `redis`. */
  readonly redis: RedisRoutes | undefined;
}
