/** The objects of the admin API. */

import type { ConnectionInfo } from "../observe/observer.ts";
import type { RedisStats } from "../observe/redis_stats.ts";
import { type Route, ruleText } from "../route/table.ts";
import type { ServerPool } from "../upstream/pool.ts";
import type { Server } from "../upstream/server.ts";
import { addressText, hostPortText, targetText } from "../util/text.ts";
import type { AdminSource } from "./source.ts";

/** Totals, and the state of the balancer. */
export async function statusView({ balancer, metrics, build, startedAt }: AdminSource) {
  const { engine } = balancer;
  const [stats, refused] = await Promise.all([engine.stats(), metrics.refused()]);
  const { serving, died } = engine.measured.workers();
  return {
    ...build,
    started_at: startedAt.toISOString(),
    config_loaded_at: metrics.loadedAt.toISOString(),
    uptime_ms: Date.now() - startedAt.getTime(),
    draining: stats.draining,
    workers: serving,
    worker_deaths: died,
    listeners: balancer.addresses.map(addressText),
    routes: stats.routes,
    redis: stats.redis ? redisView(stats.redis) : null,
    connections_active: stats.active,
    connections_total: stats.accepted,
    bytes_up: stats.bytes.up,
    bytes_down: stats.bytes.down,
    refused,
  };
}

function redisView({ up, serving, text, cached, lookups }: RedisStats) {
  return { up, serving, text, cached_ids: cached, lookups };
}

/** The state that the dashboard receives: each part is an event of this name. */
export async function stateView(source: AdminSource) {
  return { status: await statusView(source), pools: poolsView(source) };
}

/** One connection. */
export function connectionView(connection: ConnectionInfo, now = performance.now()) {
  const { id, route, upstream, clientSubject, up, down } = connection;
  return {
    conn: connection.conn,
    client: addressText(connection.source),
    client_subject: clientSubject ?? null,
    listener: connection.listener,
    transport: connection.transport,
    state: stateOf(connection),
    id: id ?? null,
    route: route ?? null,
    upstream: upstream ? hostPortText(upstream) : null,
    attempts: connection.attempts,
    age_ms: Math.round(now - connection.acceptedAt),
    bytes_up: up.written,
    bytes_down: down.written,
  };
}

function stateOf({ id, connectedAt }: ConnectionInfo): "handshake" | "connecting" | "relaying" {
  if (connectedAt !== undefined) return "relaying";
  return id === undefined ? "handshake" : "connecting";
}

/** One rule of the table. */
export function routeView({ rule, target, onRemoval }: Route) {
  return {
    rule: ruleText(rule),
    kind: rule.kind,
    text: rule.text,
    target: targetText(target),
    on_removal: onRemoval,
  };
}

/** The pools of the configuration in use. */
export function poolsView({ balancer }: AdminSource) {
  return [...balancer.engine.snapshot.pools.values()].map(poolView);
}

/** A pool and its servers. */
export function poolView({ name, config, panicking, servers }: ServerPool) {
  const active = servers.reduce((sum, server) => sum + server.active, 0);
  return {
    name,
    strategy: config.strategy,
    panicking,
    connections_active: active,
    max_connections: config.max_connections,
    servers: servers.map((server) => serverView(server, active)),
  };
}

/** @param active Connections of the whole pool. */
function serverView(server: Server, active: number) {
  const { key, state, draining, backup, weight } = server;
  return {
    upstream: key,
    state: draining ? "drained" : state,
    backup,
    weight,
    connections_active: server.active,
    /** The part of the pool's connections that it has, 0 to 1. */
    share: active === 0 ? 0 : server.active / active,
  };
}
