/** Checks each field of a configuration and describes every problem for the author of the file. */

import * as v from "valibot";
import { nearest, plain, quote } from "../util/text.ts";
import { AmbiguousScalar, fieldPath, isMapping, type Mapping, type YamlValue } from "./yaml.ts";

/** A problem with one field. */
export interface Problem {
  /** The field, such as `routes[3].port`; empty for the file as a whole. */
  readonly path: string;
  /** Whether the problem is the field's name, not its value. */
  readonly isName?: boolean;
  readonly message: string;
  /** The value found and the values accepted, if the message has both. */
  readonly found?: string;
  readonly wanted?: string;
}

type AnySchema = v.GenericSchema<unknown, unknown>;
type Fields = Readonly<Record<string, AnySchema>>;

/** The parts that a valibot schema may have. */
interface Parts {
  readonly type: string;
  readonly entries?: Fields;
  /** Of a record: the schema of every entry. */
  readonly value?: AnySchema;
  readonly item?: AnySchema;
  readonly wrapped?: AnySchema;
  readonly options?: readonly unknown[];
  readonly message?: unknown;
}

/** Every problem of `value` that `schema` can find, in file order. */
export function* check(schema: AnySchema, value: YamlValue, path = ""): Generator<Problem> {
  const { entries, item, wrapped, options = [] } = partsOf(schema);
  const entry = recordEntry(schema);
  const mapping = isMapping(value) ? options.find(isMappingSchema) : undefined;
  if (wrapped !== undefined) yield* check(wrapped, value, path);
  else if (mapping !== undefined) yield* check(mapping, value, path);
  else if (entries !== undefined && isMapping(value)) yield* checkFields(entries, value, path);
  else if (entry !== undefined && isMapping(value)) yield* checkEntries(entry, value, path);
  else if (item !== undefined && isList(value)) yield* checkItems(schema, item, value, path);
  else yield* checkValue(schema, value, path);
}

function* checkFields(entries: Fields, value: Mapping, path: string): Generator<Problem> {
  for (const [name, field] of Object.entries(value)) {
    const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
    if (entry === undefined) yield unknownField(name, entries, path);
    else yield* check(entry, field, fieldPath(path, name));
  }
  for (const [name, entry] of Object.entries(entries)) {
    if (Object.hasOwn(value, name) || !isRequired(entry)) continue;
    const wanted = expectedBy(entry, undefined);
    yield { path: fieldPath(path, name), message: `missing, expected ${wanted}`, ...(wanted && { wanted }) };
  }
}

/** The entries of a mapping whose names are free, such as those of pools. */
function* checkEntries(schema: AnySchema, value: Mapping, path: string): Generator<Problem> {
  for (const [name, entry] of Object.entries(value)) yield* check(schema, entry, fieldPath(path, name));
}

function* checkItems(
  schema: AnySchema,
  item: AnySchema,
  value: readonly YamlValue[],
  path: string,
): Generator<Problem> {
  if (value.length === 0) yield* checkValue(schema, value, path);
  for (const [index, each] of value.entries()) yield* check(item, each, fieldPath(path, index));
}

function* checkValue(schema: AnySchema, value: YamlValue, path: string): Generator<Problem> {
  const expected = expectedBy(schema, value);
  if (expected !== undefined) {
    const found = describe(value);
    yield {
      path,
      message: `found ${found}, expected ${expected}${hint(schema, value)}`,
      found,
      wanted: expected,
    };
  }
}

/** The description of the values that `schema` accepts; undefined if it accepts `value`. */
function expectedBy(schema: AnySchema, value: unknown): string | undefined {
  const { entries, item, message } = partsOf(schema);
  // To valibot a list is an object too.
  const isGroup = entries !== undefined || recordEntry(schema) !== undefined;
  if ((isGroup && !isMapping(value)) || (item !== undefined && !isList(value))) {
    return String(message);
  }
  return v.safeParse(schema, value).issues?.[0].message;
}

function hint(schema: AnySchema, value: YamlValue): string {
  const { type, options = [] } = partsOf(schema);
  if (isAmbiguous(value) && type === "union" && takesAnyInteger(options)) {
    return `; YAML would change it, so write it in quotes: "${describe(value)}"`;
  }
  const names = options.filter((option) => typeof option === "string");
  return typeof value === "string" ? didYouMean(value, names) : "";
}

/** True for an ID or a glob, whose text YAML may read as another type. */
function takesAnyInteger(options: readonly unknown[]): boolean {
  return options.some((option) => partsOf(option as AnySchema).type === "bigint");
}

function isAmbiguous(value: YamlValue): boolean {
  return value instanceof AmbiguousScalar || typeof value === "boolean";
}

function unknownField(name: string, entries: Fields, path: string): Problem {
  const where = { path: fieldPath(path, name), isName: true };
  return { ...where, message: `unknown field${didYouMean(name, Object.keys(entries))}` };
}

function didYouMean(name: string, candidates: readonly string[]): string {
  const meant = name.length > 40 ? undefined : nearest(name, candidates);
  return meant === undefined ? "" : `; did you mean ${quote(meant)}?`;
}

function isRequired(schema: AnySchema): boolean {
  return partsOf(schema).wrapped === undefined;
}

/** The schema of the entries of a mapping whose names are free. */
function recordEntry(schema: AnySchema): AnySchema | undefined {
  const { type, value } = partsOf(schema);
  return type === "record" ? value : undefined;
}

/** Whether one of the options of a union is a mapping. */
function isMappingSchema(option: unknown): option is AnySchema {
  return typeof option === "object" && option !== null && "entries" in option;
}

function isList(value: unknown): value is readonly YamlValue[] {
  return Array.isArray(value);
}

function partsOf(schema: AnySchema): Parts {
  return schema;
}

/** The value found in the file, for a message. */
export function describe(value: YamlValue | undefined): string {
  if (value === null || value === undefined) return "nothing";
  if (isList(value)) return value.length === 0 ? "an empty list" : "a list";
  if (value instanceof AmbiguousScalar) return plain(quote(value.text).slice(1, -1));
  if (isMapping(value)) return "a mapping";
  return typeof value === "string" ? plain(quote(withoutSecret(value))) : String(value).slice(0, 80);
}

/** `text` with the password of a URL left out: messages end up in logs. */
function withoutSecret(text: string): string {
  return text.replace(/(?<=:\/\/[^/?#@]*?:).*(?=@)/, "…");
}
