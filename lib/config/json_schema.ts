/** The JSON Schema of routes.yaml, for editors. */

import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import { fileSchema } from "./schema/file.ts";

/**
 * A JSON Schema (draft 7) of the file as written: durations are text, defaults are named. It accepts the same files as
 * `check`, except for rules about several places, such as an ID that is given twice.
 */
export function configJsonSchema(): JsonSchema {
  const { $schema, ...schema } = toJsonSchema(fileSchema, {
    typeMode: "input",
    overrideSchema: ({ valibotSchema: { type } }) => type === "bigint" ? { type: "integer" } : undefined,
    overrideAction: ({ valibotAction, jsonSchema }) => {
      const metadata = "metadata" in valibotAction ? valibotAction.metadata : undefined;
      return hasPattern(metadata) ? withPattern(jsonSchema, metadata.pattern) : undefined;
    },
  });
  const { routes, default: fallback, listeners, pools, redis } = schema.properties ?? {};
  require(itemsOf(routes), { oneOf: [having("id"), having("match")] }, TARGET);
  require(fallback, TARGET);
  const server = itemsOf(property(valuesOf(pools), "servers"));
  require(redis, ...REDIS);
  require(property(redis, "sentinel"), LOGIN);
  for (const upstream of [itemsOf(routes), fallback, server, redis]) {
    require(alternative(property(upstream, "tls")), together("cert", "key"));
  }
  require(property(itemsOf(listeners), "tls"), { dependencies: { client_cert: ["client_ca"] } });
  require(property(valuesOf(pools), "health_check"), { not: having("send", "id") });
  return {
    $schema: $schema ?? DRAFT_7,
    $id: "urn:switchyard:routes.yaml",
    title: "Switchyard routes.yaml",
    ...schema,
  };
}

const DRAFT_7 = "http://json-schema.org/draft-07/schema#";

type Node = JsonSchema["items"] | undefined;

/** A mapping with these fields. Strict validators require a declaration beside each requirement. */
function having(...names: readonly string[]): JsonSchema {
  return { properties: Object.fromEntries(names.map((name) => [name, {}])), required: [...names] };
}

/** Connections go to a host and port, or to a pool. */
const TARGET: JsonSchema = {
  oneOf: [
    having("host", "port"),
    { ...having("pool"), not: { anyOf: [having("host"), having("port"), having("tls")] } },
  ],
};

/** A user has a password. */
const LOGIN: JsonSchema = { dependencies: { username: ["password_file"] } };

/** One place to look IDs up in; TLS is told by the URL, and a cluster has one database. */
const REDIS: readonly JsonSchema[] = [
  { oneOf: [having("url"), having("cluster"), having("sentinel")] },
  LOGIN,
  {
    if: { ...having("url"), properties: { url: { type: "string", pattern: "^[Rr][Ee][Dd][Ii][Ss]:" } } },
    then: { properties: { tls: { enum: [false] } } },
  },
  { if: having("cluster"), then: { properties: { database: { enum: [0] } } } },
];

/** Both fields, or neither. */
function together(one: string, other: string): JsonSchema {
  return { dependencies: { [one]: [other], [other]: [one] } };
}

/** Adds conditions to a schema of a mapping. */
function require(node: Node, ...conditions: readonly JsonSchema[]): void {
  if (isSchema(node)) node.allOf = [...node.allOf ?? [], ...conditions];
}

/** `schema` with a pattern for its text, also where text is one of several alternatives. */
function withPattern({ pattern: _, anyOf, ...schema }: JsonSchema, pattern: string): JsonSchema {
  if (!anyOf) return { ...schema, pattern };
  const isOfType = (option: Node, type: string) => isSchema(option) && option.type === type;
  const hasInteger = anyOf.some((option) => isOfType(option, "integer"));
  // a number that is not an integer is not a valid ID
  const options = anyOf.filter((option) => !(hasInteger && isOfType(option, "number")));
  return {
    ...schema,
    anyOf: options.map((option) =>
      isSchema(option) && option.type === "string" ? { ...option, pattern } : option
    ),
  };
}

function hasPattern(metadata: unknown): metadata is { readonly pattern: string } {
  return typeof metadata === "object" && metadata !== null && "pattern" in metadata;
}

function itemsOf(node: Node): Node {
  return isSchema(node) ? node.items : undefined;
}

function valuesOf(node: Node): Node {
  return isSchema(node) ? node.additionalProperties : undefined;
}

function property(node: Node, name: string): Node {
  return isSchema(node) ? node.properties?.[name] : undefined;
}

/** The alternative that is a mapping. */
function alternative(node: Node): Node {
  return isSchema(node) ? node.anyOf?.find((option) => isSchema(option) && option.properties) : undefined;
}

function isSchema(node: Node): node is JsonSchema {
  return typeof node === "object" && !Array.isArray(node);
}
