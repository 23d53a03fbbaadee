/** JSON Schemas of the objects in `views.ts`, for the OpenAPI document. */

import { PAGE_ORDERS } from "../connection/page.ts";
import { REFUSAL_CODES } from "../errors.ts";
import { LOOKUP_RESULTS } from "../observe/redis_stats.ts";

/** A JSON Schema (draft 2020-12), as OpenAPI 3.1 has it. */
export type Schema = Readonly<Record<string, unknown>>;

const TEXT: Schema = { type: "string" };
const FLAG: Schema = { type: "boolean" };
const TIME: Schema = { type: "string", format: "date-time" };
const COUNT: Schema = { type: "integer", minimum: 0 };
const AMOUNT: Schema = { type: "number", minimum: 0 };

/** Has all of these properties. A later version may add others. */
function object(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: "object", required: Object.keys(properties), properties };
}

function list(items: Schema): Schema {
  return { type: "array", items };
}

function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: "null" }] };
}

function oneOf(words: readonly string[]): Schema {
  return { type: "string", enum: words };
}

function countsOf(names: readonly string[]): Schema {
  return object(Object.fromEntries(names.map((name) => [name, COUNT])));
}

const NEXT = orNull({
  ...COUNT,
  description: "The value of after for the next page; null on the last page.",
});

const REFUSALS = Object.keys(REFUSAL_CODES);

/** Of `statusView`. */
export const STATUS = object({
  version: TEXT,
  deno: TEXT,
  started_at: TIME,
  config_loaded_at: { ...TIME, description: "When the configuration in use was loaded." },
  uptime_ms: COUNT,
  draining: FLAG,
  workers: { ...COUNT, description: "Threads that accept and relay." },
  worker_deaths: { ...COUNT, description: "Workers that have died since the start; each is replaced." },
  listeners: list(TEXT),
  routes: COUNT,
  redis: orNull(object({
    up: FLAG,
    serving: FLAG,
    text: TEXT,
    cached_ids: COUNT,
    lookups: countsOf(LOOKUP_RESULTS),
  })),
  connections_active: COUNT,
  connections_total: COUNT,
  bytes_up: COUNT,
  bytes_down: COUNT,
  refused: countsOf(REFUSALS.map((name) => name.toLowerCase())),
});

/** A page of `connectionView`. */
export const CONNECTIONS = object({
  connections: list(object({
    conn: COUNT,
    client: TEXT,
    client_subject: orNull(TEXT),
    listener: TEXT,
    transport: oneOf(["tcp", "websocket"]),
    state: oneOf(["handshake", "connecting", "relaying"]),
    id: orNull(TEXT),
    route: orNull(TEXT),
    upstream: orNull(TEXT),
    attempts: COUNT,
    age_ms: COUNT,
    bytes_up: COUNT,
    bytes_down: COUNT,
  })),
  next: { ...NEXT, description: `Only in the order ${PAGE_ORDERS[0]}.` },
});

/** Of a DELETE. */
export const CLOSED = object({ closed: COUNT });

/** A page of `routeView`. */
export const ROUTES = object({
  routes: list(object({
    place: COUNT,
    rule: TEXT,
    kind: TEXT,
    text: TEXT,
    target: TEXT,
    on_removal: oneOf(["keep", "drain", "close"]),
  })),
  total: COUNT,
  next: NEXT,
});

/** Of every `poolView`. */
export const POOLS = object({
  pools: list(object({
    name: TEXT,
    strategy: TEXT,
    panicking: { ...FLAG, description: "Whether no server is healthy, so that all are tried." },
    connections_active: COUNT,
    max_connections: { ...COUNT, description: "Of each server; 0 is no limit." },
    servers: list(object({
      upstream: TEXT,
      state: oneOf(["up", "down", "ejected", "drained"]),
      backup: FLAG,
      weight: AMOUNT,
      connections_active: COUNT,
      share: { ...AMOUNT, maximum: 1, description: "Its part of the pool's connections." },
    })),
  })),
});

const REFUSED = orNull(object({ reason: oneOf(REFUSALS), why: TEXT }));

/** Of `explain`. */
export const EXPLANATION = object({
  id: TEXT,
  refused: REFUSED,
  rules: list(object({ rule: TEXT, target: TEXT, verdict: TEXT })),
  candidates: list(object({ upstream: TEXT, tried: FLAG, why: TEXT })),
  from: orNull(object({ address: TEXT, refused: REFUSED, checks: list(TEXT) })),
});

/** Of a reload. */
export const RELOADED = object({ added: COUNT, changed: COUNT, removed: COUNT, connections: COUNT });

/** Of a drain. */
export const DRAINING = object({ draining: FLAG, connections_active: COUNT });
