/** What an engine is started with, and the two steps of its reload. */

import type { AdmissionCounts } from "../admission/limiter.ts";
import type { Listen } from "../listen/bind.ts";
import type { Observer } from "../observe/observer.ts";
import type { RouteTable } from "../route/table.ts";
import type { Connect } from "../upstream/dialer.ts";
import type { ServerCount } from "../upstream/server.ts";
import type { Lookup } from "../upstream/resolver.ts";
import type { UpstreamsOptions } from "../upstream/upstreams.ts";
import type { Waker } from "../upstream/waker.ts";

/** What an engine counts in. */
export interface EngineCounts extends AdmissionCounts {
  /** Gives a connection its number: higher than those before. */
  nextNumber(): number;
  /** Connections to a server. @param key Tells it from others in all threads, and after a reload */
  ofServer(key: string): ServerCount;
}

/** What tests put in place of the platform, and who is told of what happens. */
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
  /** Told of dials where another thread decides on the health of servers. @default this one does */
  readonly onDialed?: UpstreamsOptions["onDialed"];
  /** Has the upstreams of held clients woken. @default this thread does */
  readonly waker?: Waker;
  /** Told of every connection, besides the access log. @default none */
  readonly observers?: readonly Observer[];
}

/** A reload that can no longer fail. One of both functions is called, once. */
export interface PreparedReload {
  readonly table: RouteTable;
  /** Takes it into use. Resolves to the number of connections affected. @throws Error while draining */
  commit(): Promise<number>;
  abort(): void;
}
