/** The options of an engine, and the two steps of its reload. */

import type { AdmissionCounts } from "../admission/limiter.ts";
import type { Listen } from "../listen/bind.ts";
import type { Observer } from "../observe/observer.ts";
import type { RouteTable } from "../route/table.ts";
import type { Connect } from "../upstream/dialer.ts";
import type { ServerCount } from "../upstream/server.ts";
import type { Lookup } from "../upstream/resolver.ts";
import type { UpstreamsOptions } from "../upstream/upstreams.ts";
import type { Waker } from "../upstream/waker.ts";

/** The counts of an engine. */
export interface EngineCounts extends AdmissionCounts {
  /** The number of a new connection: higher than all before. */
  nextNumber(): number;
  /** Connections to a server. @param key Identifies the server in all threads and over reloads. */
  ofServer(key: string): ServerCount;
}

/** Replacements for the platform in tests, and observers. */
export interface EngineOptions {
  /** @default Deno.listen */
  readonly listen?: Listen;
  /** Whether other threads listen on the same ports. @default false */
  readonly reusePort?: boolean;
  /** Counts that this thread shares with others. @default counts of its own */
  readonly shared?: EngineCounts | undefined;
  /** @default Deno.connect */
  readonly connect?: Connect;
  /** @default the system's resolver */
  readonly lookup?: Lookup;
  /** Reports dials if another thread decides on the health of servers. @default this thread decides */
  readonly onDialed?: UpstreamsOptions["onDialed"];
  /** Wakes the upstreams of held clients. @default this thread does */
  readonly waker?: Waker;
  /** Observers besides the access log. @default none */
  readonly observers?: readonly Observer[];
}

/** A reload that can no longer fail. Either function is called, once. */
export interface PreparedReload {
  readonly table: RouteTable;
  /** Puts it into use. Resolves to the number of connections affected. @throws Error while draining */
  commit(): Promise<number>;
  abort(): void;
}
