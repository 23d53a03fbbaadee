/** Finds everything that is wrong with a configuration, field by field, in words for the person who wrote it. */

import * as v from "valibot";
import { nearest, plain, quote } from "../util/text.ts";
import { UNSUPPORTED } from "./schema/file.ts";
import { AmbiguousScalar, isMapping, type Mapping, type YamlValue } from "./yaml.ts";

/** What is wrong with one field. */
export interface Problem {
  /** Where it stands, such as `routes[3].port`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

type AnySchema = v.GenericSchema<unknown, unknown>;
type Fields = Readonly<Record<string, AnySchema>>;

/** What a schema of valibot shows of itself, where it has these parts. */
interface Parts {
  readonly type: string;
  readonly entries?: Fields;
  readonly item?: AnySchema;
  readonly wrapped?: AnySchema;
  readonly options?: readonly unknown[];
  readonly message?: unknown;
}

/** Every fault of `tree` that `schema` can tell, in file order. */
export function* check(schema: AnySchema, tree: YamlValue, path = ""): Generator<Problem> {
  const { entries, item, wrapped, options = [] } = partsOf(schema);
  const mapping = isMapping(tree) ? options.find(isMappingSchema) : undefined;
  if (wrapped !== undefined) yield* check(wrapped, tree, path);
  else if (mapping !== undefined) yield* check(mapping, tree, path);
  else if (entries !== undefined && isMapping(tree)) yield* checkFields(entries, tree, path);
  else if (item !== undefined && isList(tree)) yield* checkItems(schema, item, tree, path);
  else yield* checkValue(schema, tree, path);
}

function* checkFields(entries: Fields, tree: Mapping, path: string): Generator<Problem> {
  for (const [name, value] of Object.entries(tree)) {
    const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
    if (entry === undefined) yield unknownField(name, entries, path);
    else yield* check(entry, value, join(path, name));
  }
  for (const [name, entry] of Object.entries(entries)) {
    if (Object.hasOwn(tree, name) || !isRequired(entry) || takesPlaceOf(tree, name, path)) continue;
    yield { path: join(path, name), message: `missing, expected ${expectedBy(entry, undefined)}` };
  }
}

/** A route to a pool, which is refused as a whole, need not hear that it lacks a host and a port too. */
function takesPlaceOf(tree: Mapping, name: string, path: string): boolean {
  return (name === "host" || name === "port") && Object.hasOwn(tree, "pool") && isNotYet("pool", path);
}

function* checkItems(
  schema: AnySchema,
  item: AnySchema,
  tree: readonly YamlValue[],
  path: string,
): Generator<Problem> {
  if (tree.length === 0) yield* checkValue(schema, tree, path);
  for (const [index, value] of tree.entries()) yield* check(item, value, `${path}[${index}]`);
}

function* checkValue(schema: AnySchema, tree: YamlValue, path: string): Generator<Problem> {
  const expected = expectedBy(schema, tree);
  if (expected !== undefined) {
    yield { path, message: `found ${describe(tree)}, expected ${expected}${hint(schema, tree)}` };
  }
}

/** What `schema` wants instead of `tree`, or undefined where it takes it. */
function expectedBy(schema: AnySchema, tree: unknown): string | undefined {
  const { entries, item, message } = partsOf(schema);
  // To valibot a list is an object too.
  if ((entries !== undefined && !isMapping(tree)) || (item !== undefined && !isList(tree))) {
    return String(message);
  }
  return v.safeParse(schema, tree).issues?.[0].message;
}

function hint(schema: AnySchema, tree: YamlValue): string {
  const { type, options = [] } = partsOf(schema);
  if (changesOnTheWay(tree) && type === "union" && takesAnyInteger(options)) {
    return `; YAML would change it, so write it in quotes: "${describe(tree)}"`;
  }
  const names = options.filter((option) => typeof option === "string");
  return typeof tree === "string" ? didYouMean(tree, names) : "";
}

/** True for an ID or a glob: text that YAML may take for something else. */
function takesAnyInteger(options: readonly unknown[]): boolean {
  return options.some((option) => partsOf(option as AnySchema).type === "bigint");
}

function changesOnTheWay(tree: YamlValue): boolean {
  return tree instanceof AmbiguousScalar || typeof tree === "boolean";
}

function unknownField(name: string, entries: Fields, path: string): Problem {
  const where = join(path, name);
  if (isNotYet(name, path)) return { path: where, message: "this version does not support this field yet" };
  return { path: where, message: `unknown field${didYouMean(name, Object.keys(entries))}` };
}

function didYouMean(name: string, candidates: readonly string[]): string {
  const meant = name.length > 40 ? undefined : nearest(name, candidates);
  return meant === undefined ? "" : `; did you mean ${quote(meant)}?`;
}

function isNotYet(name: string, path: string): boolean {
  return UNSUPPORTED.has(join(path.replace(/\[\d+\]/g, "[]"), name));
}

function isRequired(schema: AnySchema): boolean {
  return partsOf(schema).wrapped === undefined;
}

/** Whether one of the options of a union is a mapping. */
function isMappingSchema(option: unknown): option is AnySchema {
  return typeof option === "object" && option !== null && "entries" in option;
}

function isList(tree: unknown): tree is readonly YamlValue[] {
  return Array.isArray(tree);
}

function partsOf(schema: AnySchema): Parts {
  return schema;
}

/** The path of the field `name` in the mapping at `path`. */
function join(path: string, name: string): string {
  const shown = /^[\w-]{1,60}$/.test(name) ? name : plain(quote(name));
  return path === "" ? shown : `${path}.${shown}`;
}

/** How a message shows what stands in the file. */
export function describe(tree: YamlValue | undefined): string {
  if (tree === null || tree === undefined) return "nothing";
  if (isList(tree)) return tree.length === 0 ? "an empty list" : "a list";
  if (tree instanceof AmbiguousScalar) return plain(quote(tree.text).slice(1, -1));
  if (isMapping(tree)) return "a mapping";
  return typeof tree === "string" ? plain(quote(tree)) : String(tree).slice(0, 80);
}
