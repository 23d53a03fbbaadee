/** The table of the admin API's endpoints, from which the router and the OpenAPI document are made. */

import type { EngineFace } from "../engine/face.ts";
import { ruleText } from "../route/table.ts";
import { TimeSlice } from "../util/async.ts";
import { targetText } from "../util/text.ts";
import { closeConnections, LIST_PARAMETERS, listConnections, PAGE_PARAMETERS } from "./connections.ts";
import type { EventFeed } from "./events.ts";
import { explain } from "./explain.ts";
import { answer, HttpError, json, text } from "./http.ts";
import type { Parameters, Values } from "./parameters.ts";
import {
  CLOSED,
  CONNECTIONS,
  DRAINING,
  EXPLANATION,
  POOLS,
  RELOADED,
  ROUTES,
  type Schema,
  STATUS,
} from "./schemas.ts";
import type { AdminSource } from "./source.ts";
import { poolsView, routeView, statusView } from "./views.ts";

/** A request that has passed the guard, and the data for its answer. */
export interface Call {
  /** Of the query and of the path. */
  readonly values: Values;
  readonly source: AdminSource;
  readonly feed: EventFeed;
}

/** One endpoint. */
export interface ApiEndpoint {
  readonly method: "GET" | "POST" | "DELETE";
  /** With parameters in braces. */
  readonly path: string;
  readonly summary: string;
  /** Of the query. */
  readonly parameters?: Parameters;
  /** Of the path. */
  readonly pathParameters?: Parameters;
  /** @default application/json */
  readonly type?: string;
  /** Of a JSON answer. @default any */
  readonly schema?: Schema;
  /** Statuses and what they mean; 400, 401, 403 and 500 are the same for all. */
  readonly statuses: Readonly<Record<string, string>>;
  readonly respond: (call: Call) => Response | Promise<Response>;
}

const V1 = "/api/v1";
const TEXT = "text/plain";

/** Every endpoint. */
export const ENDPOINTS: readonly ApiEndpoint[] = [
  {
    method: "GET",
    path: "/healthz",
    summary: "Whether the process is alive.",
    type: TEXT,
    statuses: { 200: "It is alive." },
    respond: () => text("ok"),
  },
  {
    method: "GET",
    path: "/readyz",
    summary: "Whether new connections are accepted.",
    type: TEXT,
    statuses: {
      200: "New connections are accepted.",
      503: "The balancer is draining, or cannot route any ID.",
    },
    respond: async ({ source }) => await readiness(source.balancer.engine),
  },
  {
    method: "GET",
    path: "/metrics",
    summary: "Metrics in the text format of Prometheus.",
    type: TEXT,
    statuses: { 200: "The metrics." },
    respond: async ({ source: { metrics } }) => answer(await metrics.text(), metrics.contentType),
  },
  {
    method: "GET",
    path: `${V1}/status`,
    summary: "Versions, totals and refusals by reason.",
    schema: STATUS,
    statuses: { 200: "The status." },
    respond: async ({ source }) => json(await statusView(source)),
  },
  {
    method: "GET",
    path: `${V1}/routes`,
    summary: "The routing table, in the order in which rules are tried, in pages.",
    parameters: {
      ...PAGE_PARAMETERS,
      search: { type: "string", description: "Only rules whose text, ID or target contains this text." },
    },
    schema: ROUTES,
    statuses: { 200: "A page of rules." },
    respond: async (call) => json(await listRoutes(call)),
  },
  {
    method: "GET",
    path: `${V1}/connections`,
    summary: "Open connections, in pages.",
    parameters: LIST_PARAMETERS,
    schema: CONNECTIONS,
    statuses: { 200: "A page of connections." },
    respond: async ({ source, values }) => json(await listConnections(source, values)),
  },
  {
    method: "DELETE",
    path: `${V1}/connections`,
    summary: "Closes every connection of an ID.",
    parameters: { id: { type: "string", description: "The ID.", required: true } },
    schema: CLOSED,
    statuses: { 200: "The number of closed connections.", 404: "No such connection is open." },
    respond: async ({ source, values }) => json(await closeConnections(source, { id: values.text("id") })),
  },
  {
    method: "DELETE",
    path: `${V1}/connections/{conn}`,
    summary: "Closes one connection.",
    pathParameters: { conn: { type: "integer", description: "Number of the connection.", required: true } },
    parameters: { id: { type: "string", description: "Only if it still has this ID." } },
    schema: CLOSED,
    statuses: { 200: "The connection was closed.", 404: "No such connection is open." },
    respond: async ({ source, values }) => {
      return json(await closeConnections(source, { conn: values.number("conn"), id: values.text("id") }));
    },
  },
  {
    method: "GET",
    path: `${V1}/pools`,
    summary: "Pools, their servers, health and shares.",
    schema: POOLS,
    statuses: { 200: "The pools." },
    respond: ({ source }) => json({ pools: poolsView(source) }),
  },
  {
    method: "GET",
    path: `${V1}/explain`,
    summary: "Which rule an ID matches, which servers it tries, and what admission decides on an address.",
    parameters: {
      id: { type: "string", description: "The ID.", required: true },
      from: { type: "string", description: "A client address to check against lists and limits." },
    },
    schema: EXPLANATION,
    statuses: { 200: "The explanation." },
    respond: async ({ source, values }) => {
      return json(await explain(source.balancer.engine, values.text("id") ?? "", values.text("from")));
    },
  },
  {
    method: "GET",
    path: `${V1}/events`,
    summary:
      "The events status and pools: both when the stream opens, then each second those that have changed.",
    type: "text/event-stream",
    statuses: { 200: "A stream of server-sent events.", 503: "Too many streams are open." },
    respond: ({ feed }) => feed.open(),
  },
  {
    method: "POST",
    path: `${V1}/reload`,
    summary: "Reloads the configuration.",
    schema: RELOADED,
    statuses: {
      200: "The number of changes of each kind.",
      409: "There is no configuration file to reload.",
      422: "The configuration is wrong; the previous one is kept.",
    },
    respond: ({ source }) => reload(source),
  },
  {
    method: "POST",
    path: `${V1}/drain`,
    summary: "Drains the balancer and ends the process, as SIGTERM does.",
    schema: DRAINING,
    statuses: { 202: "The drain has begun." },
    respond: async ({ source }) => {
      source.drain();
      const { active } = await source.balancer.engine.stats();
      return json({ draining: true, connections_active: active }, 202);
    },
  },
];

/**
 * Readiness fails when every client would be refused: another balancer that has IDs in its cache, or that has reached
 * Redis, can serve them.
 */
async function readiness(engine: EngineFace): Promise<Response> {
  if (engine.draining) return text("draining", 503);
  if (engine.measured.workers().serving === 0) return text("not ready\nno worker accepts connections", 503);
  // workers are queried only if necessary: one that hangs would delay the answer
  const { redis } = engine.snapshot.redis ? await engine.stats() : {};
  if (!redis || redis.up) return text("ready");
  const isReady = redis.serving || engine.snapshot.table.exactSize > 0;
  return text(`${isReady ? "ready" : "not ready"}\nredis: ${redis.text}`, isReady ? 200 : 503);
}

/** In slices: a table may have a million rules. */
async function listRoutes({ source, values }: Call) {
  const { table } = source.balancer.engine.snapshot;
  const [after, limit] = [values.number("after") ?? 0, values.number("limit") ?? 100];
  const search = values.text("search") ?? "";
  const rows = [];
  const slice = new TimeSlice();
  let place = after;
  for (const route of table.rules(after)) {
    place += 1;
    if (slice.over) await slice.rest();
    const { rule, target } = route;
    const texts = [ruleText(rule), rule.text, targetText(target)];
    if (!texts.some((text) => text.includes(search))) continue;
    rows.push({ place, ...routeView(route) });
    if (rows.length > limit) break;
  }
  const page = rows.slice(0, limit);
  return { routes: page, total: table.size, next: rows.length > limit ? page.at(-1)?.place ?? null : null };
}

async function reload({ reload }: AdminSource): Promise<Response> {
  const outcome = await reload();
  if (!outcome) {
    throw new HttpError(409, "the configuration is that of the command line or of a pipe: nothing to reload");
  }
  if (outcome.ok) return json(outcome.change);
  const { problems } = outcome;
  throw new HttpError(422, `the previous configuration is kept: ${problems[0]}`, { problems });
}
