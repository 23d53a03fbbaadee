/** Numbers of open connections, as plain data that is easy to send to other threads and sum. */

import type { Transport } from "../transport/duplex.ts";
import { hostPortText } from "../util/text.ts";
import type { ConnectionInfo } from "./observer.ts";

/** Open connections. Plain data: it survives `structuredClone` as it is. */
export interface OpenCounts {
  readonly transports: Record<Transport, number>;
  /** Relayed connections, by the upstream's `host:port`. */
  readonly upstreams: Map<string, number>;
}

/** Counts `connections`. */
export function countOpen(
  connections: Iterable<Pick<ConnectionInfo, "transport" | "upstream" | "connectedAt">>,
): OpenCounts {
  const counts = newOpenCounts();
  for (const { transport, upstream, connectedAt } of connections) {
    counts.transports[transport] += 1;
    if (upstream && connectedAt !== undefined) add(counts.upstreams, hostPortText(upstream), 1);
  }
  return counts;
}

/** The sum of several threads' counts. */
export function sumOfOpen(all: Iterable<OpenCounts>): OpenCounts {
  const total = newOpenCounts();
  for (const { transports, upstreams } of all) {
    total.transports.tcp += transports.tcp;
    total.transports.websocket += transports.websocket;
    for (const [upstream, count] of upstreams) add(total.upstreams, upstream, count);
  }
  return total;
}

function newOpenCounts(): OpenCounts {
  return { transports: { tcp: 0, websocket: 0 }, upstreams: new Map() };
}

function add(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
