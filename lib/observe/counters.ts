/**
 * Counts the events of connections as plain data, which is cheap on their path, and easy to send to other threads and
 * sum.
 */

import type { HostPort } from "../config/config.ts";
import { REFUSAL_CODES, type RefusalName } from "../errors.ts";
import type { Transport } from "../transport/duplex.ts";
import { hostPortText } from "../util/text.ts";
import type { Closing, ConnectionInfo, DialReason, Observer } from "./observer.ts";

/** Upper bounds in seconds: from a handshake on the same machine to the longest timeout. */
export const BOUNDS: readonly number[] = [
  ...[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05],
  ...[0.1, 0.25, 0.5, 1, 2.5, 5, 10],
];

/**
 * Number of upstreams whose failed dials are counted separately; further ones are counted together: a table may name a
 * different upstream for each ID, and those in Redis change all the time.
 */
const MOST_UPSTREAMS = 1000;

/** The label of further upstreams. No upstream has this name, which lacks a port. */
export const OTHER_UPSTREAMS = "other";

/** Durations in seconds. */
export interface Durations {
  /** Counts per bucket, not cumulative: up to each of `BOUNDS`, and the last for longer ones. */
  readonly buckets: number[];
  sum: number;
}

/** Connections of a listener, by transport. */
export type TransportCounts = Record<Transport, number>;

/** Totals since the start. Plain data: it survives `structuredClone` as it is. */
export interface Counters {
  /** By the listener's name: connections that have sent an ID, or ended without one. */
  readonly connections: Map<string, TransportCounts>;
  readonly refused: Record<RefusalName, number>;
  /** From accept to the whole ID frame. */
  readonly identifying: Durations;
  /** From the dial to the open connection. */
  readonly connecting: Durations;
  /** Failed dials by upstream and reason. */
  readonly dialErrors: Map<string, Map<DialReason, number>>;
}

/** Counters that are all 0. */
export function newCounters(): Counters {
  const refused = Object.fromEntries(Object.keys(REFUSAL_CODES).map((reason) => [reason, 0]));
  return {
    connections: new Map(),
    refused: refused as Record<RefusalName, number>,
    identifying: newDurations(),
    connecting: newDurations(),
    dialErrors: new Map(),
  };
}

/** The sum of several threads' counters. */
export function sumOf(all: Iterable<Counters>): Counters {
  const total = newCounters();
  for (const { connections, refused, identifying, connecting, dialErrors } of all) {
    for (const [listener, { tcp, websocket }] of connections) {
      const counts = countsOf(total.connections, listener);
      counts.tcp += tcp;
      counts.websocket += websocket;
    }
    for (const [reason, count] of Object.entries(refused)) total.refused[reason as RefusalName] += count;
    addDurations(total.identifying, identifying);
    addDurations(total.connecting, connecting);
    for (const [upstream, reasons] of dialErrors) {
      for (const [reason, count] of reasons) addDialErrors(total, upstream, reason, count);
    }
  }
  return total;
}

/** Counts what happens to connections. */
export class CountingObserver implements Observer {
  /** Live: it includes later events. */
  readonly counters = newCounters();

  identified({ listener, transport, acceptedAt, identifiedAt = acceptedAt }: ConnectionInfo): void {
    countsOf(this.counters.connections, listener)[transport] += 1;
    observe(this.counters.identifying, (identifiedAt - acceptedAt) / 1000);
  }

  dialFailed(_connection: ConnectionInfo, server: HostPort, reason: DialReason): void {
    const { dialErrors } = this.counters;
    const upstream = hostPortText(server);
    const isApart = dialErrors.has(upstream) || dialErrors.size < MOST_UPSTREAMS;
    addDialErrors(this.counters, isApart ? upstream : OTHER_UPSTREAMS, reason, 1);
  }

  connected({ dialedAt, connectedAt }: ConnectionInfo): void {
    if (dialedAt === undefined || connectedAt === undefined) return;
    observe(this.counters.connecting, (connectedAt - dialedAt) / 1000);
  }

  closed({ id, listener, transport }: ConnectionInfo, { reason }: Closing): void {
    if (id === undefined) countsOf(this.counters.connections, listener)[transport] += 1;
    if (isRefusal(reason)) this.counters.refused[reason] += 1;
  }
}

function isRefusal(reason: Closing["reason"]): reason is RefusalName {
  return reason in REFUSAL_CODES;
}

function countsOf(connections: Counters["connections"], listener: string): TransportCounts {
  const known = connections.get(listener);
  if (known) return known;
  const counts = { tcp: 0, websocket: 0 };
  connections.set(listener, counts);
  return counts;
}

function addDialErrors({ dialErrors }: Counters, upstream: string, reason: DialReason, count: number): void {
  const reasons = dialErrors.get(upstream) ?? new Map<DialReason, number>();
  dialErrors.set(upstream, reasons.set(reason, (reasons.get(reason) ?? 0) + count));
}

function newDurations(): Durations {
  return { buckets: Array.from({ length: BOUNDS.length + 1 }, () => 0), sum: 0 };
}

function observe(durations: Durations, seconds: number): void {
  durations.sum += seconds;
  const { buckets } = durations;
  let bucket = 0;
  while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] ?? 0)) bucket += 1;
  buckets[bucket] = (buckets[bucket] ?? 0) + 1;
}

function addDurations(total: Durations, more: Durations): void {
  total.sum += more.sum;
  for (const [bucket, count] of more.buckets.entries()) {
    total.buckets[bucket] = (total.buckets[bucket] ?? 0) + count;
  }
}
