/** The JSON Schema of routes.yaml, for editors. */

import { toJsonSchema } from "@valibot/to-json-schema";
import { fileSchema } from "./schema.ts";

/** A JSON Schema (draft 7) of the file as it is written: durations are text, defaults are named. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = toJsonSchema(fileSchema, {
    typeMode: "input",
    overrideSchema: ({ valibotSchema }) => valibotSchema.type === "bigint" ? { type: "integer" } : undefined,
  });
  return { ...schema, title: "Switchyard routes.yaml" };
}
