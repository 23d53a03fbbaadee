/** The JSON Schema of routes.yaml, for editors. */

import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import { fileSchema } from "./schema/file.ts";

/** A JSON Schema (draft 7) of the file as it is written: durations are text, defaults are named. */
export function configJsonSchema(): JsonSchema {
  const schema = toJsonSchema(fileSchema, {
    typeMode: "input",
    overrideSchema: ({ valibotSchema }) =>
      textOrInteger(valibotSchema) ? TEXT : overrides.get(valibotSchema.type),
  });
  const { routes, default: fallback } = schema.properties ?? {};
  for (const target of [isSchema(routes) ? routes.items : undefined, fallback]) {
    if (isSchema(target)) target.anyOf = TARGETS;
  }
  return { ...schema, title: "Switchyard routes.yaml" };
}

/** Connections go to a host and port, or to a pool. */
const TARGETS: JsonSchema[] = [{ required: ["host", "port"] }, { required: ["pool"] }];

function isSchema(schema: JsonSchema["items"]): schema is JsonSchema {
  return typeof schema === "object" && !Array.isArray(schema);
}

const overrides: ReadonlyMap<string, JsonSchema> = new Map<string, JsonSchema>([["bigint", {
  type: "integer",
}]]);

const TEXT: JsonSchema = { type: ["string", "integer"] };

/** The text of an ID or a glob may stand there as a plain integer of any size, and a duration as 0. */
function textOrInteger(schema: { readonly type: string; readonly options?: unknown }): boolean {
  const options = schema.type === "union" && Array.isArray(schema.options) ? schema.options : [];
  return options.some(({ type }) => type === "string");
}
