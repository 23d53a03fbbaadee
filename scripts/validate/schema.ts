/** Validation by JSON Schema. */

import Ajv from "ajv";
import addFormats from "ajv-formats";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

/**
 * A schema out of a file of a package. Names of older drafts (`id`) and the draft itself are left out: the validator
 * refuses them, and the keywords that are used are the same in each.
 */
export function readSchema(packageName: string, path: string): Record<string, unknown> {
  const main = pathToFileURL(createRequire(import.meta.url).resolve(packageName));
  const file = new URL(path, main);
  return JSON.parse(
    readFileSync(file, "utf8"),
    (key, value) => ["id", "$schema"].includes(key) && typeof value === "string" ? undefined : value,
  );
}

/**
 * The problems of `document`; none if it is valid.
 *
 * @param others Schemas that `schema` refers to, by their names.
 */
export function problemsOf(
  document: unknown,
  schema: unknown,
  others: Readonly<Record<string, unknown>> = {},
): string[] {
  // deno-lint-ignore no-explicit-any -- both packages' types know their default export by another name
  const ajv = new (Ajv as any)({ strict: false, allErrors: true });
  // deno-lint-ignore no-explicit-any -- as above
  (addFormats as any)(ajv);
  for (const format of ["iri-reference", "idn-email", "duration"]) ajv.addFormat(format, true);
  for (const [name, other] of Object.entries(others)) ajv.addSchema(other, name);
  const validate = ajv.compile(schema);
  if (validate(document)) return [];
  return validate.errors.map(({ instancePath, message }: Record<string, string>) =>
    `${instancePath}: ${message}`
  );
}
