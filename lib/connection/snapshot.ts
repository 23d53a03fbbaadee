/** What is in force for connections: built from a configuration, and swapped whole by a reload. */

import type { Account, Ledger, QuietLimits } from "./registry.ts";
import type { Config } from "../config/config.ts";
import type { Deadlines } from "../util/deadlines.ts";
import type { Dialer } from "../upstream/dialer.ts";
import type { Admission } from "../admission/limiter.ts";
import type { CaCertificates } from "../transport/tls/client.ts";
import type { RouteTable } from "../route/table.ts";

/** What every connection of one configuration shares. */
export interface Shared {
  readonly ledger: Ledger;
  readonly admission: Admission<Account>;
  /** Whether connections accepted from now on are turned away. */
  readonly draining: boolean;
  readonly table: RouteTable;
  readonly idBytes: number;
  readonly forwardId: boolean;
  readonly proxyProtocol: Config["proxy_protocol"];
  readonly idDeadlines: Deadlines;
  readonly connectDeadlines: Deadlines;
  /** Certificates that upstreams are trusted by. */
  readonly certificates: CaCertificates;
  readonly quiet: QuietLimits;
  readonly dialer: Dialer;
}

/** What is in force: a reload replaces all of `shared` at once. */
export interface InForce {
  readonly shared: Shared;
}
