/** The JSON Schema of routes.yaml, for editors. */

import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import { fileSchema } from "./schema.ts";

/** A JSON Schema (draft 7) of the file as it is written: durations are text, defaults are named. */
export function configJsonSchema(): JsonSchema {
  const schema = toJsonSchema(fileSchema, {
    typeMode: "input",
    overrideSchema: ({ valibotSchema }) => overrides.get(valibotSchema.type),
  });
  return { ...schema, title: "Switchyard routes.yaml" };
}

/** The one union in the file is the text of an ID or a glob, which may stand there as a plain integer of any size. */
const overrides: ReadonlyMap<string, JsonSchema> = new Map<string, JsonSchema>([
  ["bigint", { type: "integer" }],
  ["union", { type: ["string", "integer"] }],
]);
