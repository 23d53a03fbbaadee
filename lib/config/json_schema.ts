/** The JSON Schema of routes.yaml, for editors. */

import { toJsonSchema } from "@valibot/to-json-schema";
import { fileSchema } from "./schema.ts";

/** A JSON Schema (draft 7) of the file as it is written: durations are text, defaults are named. */
export function configJsonSchema(): Record<string, unknown> {
  // The one union in the file is the text of an ID or a glob, which may stand there as a plain integer.
  const schema = toJsonSchema(fileSchema, {
    typeMode: "input",
    overrideSchema: ({ valibotSchema }) =>
      valibotSchema.type === "union" ? { type: ["string", "integer"] } : undefined,
  });
  return { ...schema, title: "Switchyard routes.yaml" };
}
