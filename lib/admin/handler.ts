/** The admin API as a function from a request to its answer. */

import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import { asset } from "./assets.ts";
import { type ApiEndpoint, ENDPOINTS } from "./endpoints.ts";
import type { EventFeed } from "./events.ts";
import { Guard, type GuardOptions } from "./guard.ts";
import { HttpError, json } from "./http.ts";
import { openApi } from "./openapi.ts";
import { readParameters } from "./parameters.ts";
import type { AdminSource } from "./source.ts";

const log = getLogger("switchyard");

/** Answers one request. Never rejects. */
export type AdminHandler = (request: Request) => Promise<Response>;

/** Options of a handler. */
export interface HandlerOptions extends GuardOptions {
  readonly feed: EventFeed;
}

/** The handler of an admin listener. */
export function adminHandler(source: AdminSource, { feed, ...guarded }: HandlerOptions): AdminHandler {
  const guard = new Guard(guarded);
  const document = openApi(ALL, source.build.version);
  const respond = async (request: Request) => {
    try {
      await guard.check(request);
      const { pathname, search, searchParams } = new URL(request.url);
      const [endpoint, inPath] = find(request.method, pathname);
      if (endpoint === OPENAPI) return json(document);
      if (endpoint.type === "text/html") return await asset(pathname);
      checkEncoding(search);
      const declared = { ...endpoint.parameters, ...endpoint.pathParameters };
      const values = readParameters([...searchParams, ...inPath], declared);
      return await endpoint.respond({ values, source, feed });
    } catch (error) {
      return failure(error);
    }
  };
  return async (request) => {
    const response = await respond(request);
    if (request.method !== "HEAD") return response;
    // an unread event stream would stay open
    await response.body?.cancel();
    return new Response(null, response);
  };
}

/** Answered by the handler itself: the one from the table, the others from files. */
const OPENAPI: ApiEndpoint = {
  method: "GET",
  path: "/api/v1/openapi.json",
  summary: "This document.",
  statuses: { 200: "The document." },
  respond: () => json({}),
};

const PAGE: ApiEndpoint = {
  method: "GET",
  path: "/",
  summary: "The dashboard.",
  type: "text/html",
  statuses: { 200: "The page." },
  respond: () => asset("/"),
};

/** Every endpoint, those that the handler answers by itself among them. */
export const ALL: readonly ApiEndpoint[] = [...ENDPOINTS, OPENAPI, PAGE];

/** The endpoint for a request, and the parameters in its path. @throws {HttpError} 404 or 405 */
function find(method: string, pathname: string): [ApiEndpoint, [string, string][]] {
  const wanted = method === "HEAD" ? "GET" : method;
  if (wanted === "GET" && pathname.startsWith("/dashboard/")) return [PAGE, []];
  const candidates = ALL.flatMap((endpoint) => {
    const match = patternOf(endpoint.path).exec(pathname);
    return match ? [[endpoint, Object.entries(match.groups ?? {})] as [ApiEndpoint, [string, string][]]] : [];
  });
  const found = candidates.find(([endpoint]) => endpoint.method === wanted);
  if (found) return found;
  if (candidates.length === 0) {
    throw new HttpError(404, "there is no such path; GET /api/v1/openapi.json lists all paths");
  }
  const allow = candidates.flatMap(([{ method }]) => method === "GET" ? ["GET", "HEAD"] : [method]).join(
    ", ",
  );
  throw new HttpError(405, `the method ${method} is not allowed here, expected ${allow}`, {}, { allow });
}

/** An ID that is decoded to another one would be looked up, or its connections closed. @throws {HttpError} 400 */
function checkEncoding(query: string): void {
  try {
    decodeURIComponent(query);
  } catch {
    throw new HttpError(400, "the query is not percent-encoded UTF-8; write % as %25");
  }
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/[.]/g, "\\.").replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`);
}

function failure(error: unknown): Response {
  if (error instanceof HttpError) {
    const response = json({ error: error.message, ...error.more }, error.status);
    for (const [name, value] of Object.entries(error.headers)) response.headers.set(name, value);
    return response;
  }
  log.error`admin request failed: ${messageOf(error)}`;
  return json({ error: messageOf(error) }, 500);
}
