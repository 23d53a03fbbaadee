/** The OpenAPI document of the admin API, made from its table of endpoints. */

import type { ApiEndpoint } from "./endpoints.ts";
import type { Parameter, Parameters } from "./parameters.ts";

/** Answers that any endpoint may give. */
const COMMON: Readonly<Record<string, string>> = {
  400: "A parameter is wrong.",
  403: "The Host or the Origin is not allowed.",
  500: "The balancer could not answer.",
};

/** OpenAPI 3.1. @param version Of Switchyard. */
export function openApi(endpoints: readonly ApiEndpoint[], version: string) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of endpoints) {
    (paths[endpoint.path] ??= {})[endpoint.method.toLowerCase()] = operation(endpoint);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Switchyard admin API", version },
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "The token in admin.token_file." },
      },
      schemas: { Error: ERROR },
    },
  };
}

const ERROR = {
  type: "object",
  required: ["error"],
  properties: { error: { type: "string" }, problems: { type: "array", items: { type: "string" } } },
};

function operation(endpoint: ApiEndpoint) {
  const { method, summary, statuses, parameters = {}, pathParameters = {} } = endpoint;
  const changes = method !== "GET";
  const all = { ...statuses, ...COMMON, ...(changes ? { 401: "The token is missing or wrong." } : {}) };
  return {
    summary,
    parameters: [...parametersIn("path", pathParameters), ...parametersIn("query", parameters)],
    responses: Object.fromEntries(
      Object.entries(all).map(([status, description]) => [status, {
        description,
        content: content(endpoint, Number(status)),
      }]),
    ),
    ...(changes ? { security: [{}, { token: [] }] } : {}),
  };
}

function content({ path, type = "application/json", schema }: ApiEndpoint, status: number) {
  // readiness is text in both cases
  if (status < 400 || (path === "/readyz" && status === 503)) return { [type]: schema ? { schema } : {} };
  return { "application/json": { schema: { $ref: "#/components/schemas/Error" } } };
}

function parametersIn(place: "path" | "query", parameters: Parameters) {
  return Object.entries(parameters).map(([name, parameter]) => ({
    name,
    in: place,
    required: parameter.required === true,
    description: parameter.description,
    schema: schemaOf(parameter),
  }));
}

function schemaOf({ type, choices, least = 0, most }: Parameter) {
  if (type === "string") return choices ? { type, enum: choices } : { type };
  return { type, minimum: least, ...(most === undefined ? {} : { maximum: most }) };
}
