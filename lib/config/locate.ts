/**
 * Finds the line and the column of fields in a YAML text.
 *
 * The parser gives values without positions, and a position for warnings only, which take it about as long as a hundred
 * values. So a text with errors is parsed twice more: first to number the values and to look the fields up, then to
 * warn at those that are wanted. A configuration without errors pays nothing.
 */

// @ts-types="./std_yaml_loader.d.ts"
import { LoaderState, type NodeState } from "@std/yaml/loader-state";
// @ts-types="./std_yaml_schema.d.ts"
import { SCHEMA_MAP } from "@std/yaml/schema";
// @ts-types="./std_yaml.d.ts"
import { YamlSyntaxError } from "@std/yaml";

/** The start of a value. Both numbers count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A field to locate. */
export interface Field {
  /** Such as `routes[3].port`; empty for the whole document. */
  readonly path: string;
  /** Whether the position is that of the field's name instead of its value. */
  readonly isName?: boolean;
}

/**
 * The positions of `fields`, in their order: of the innermost value around a field where it is not there itself.
 *
 * @param text One YAML document, as `parseYamlValue` accepts it.
 */
export function locateFields(text: string, fields: readonly Field[]): Position[] {
  if (fields.length === 0) return [];
  const numbering = new NumberingLoader(text);
  const [root] = numbering.readDocuments();
  const numbers = fields.map((field) => numbering.find(root, field));
  const locating = new NumberingLoader(text, new Set(numbers));
  for (const _ of locating.readDocuments());
  return numbers.map((number) => locating.positions.get(number ?? -1) ?? START);
}

const START: Position = { line: 1, column: 1 };

/** A scalar with its number. As a mapping's key the parser turns it into its text, unless it is a plain object. */
class Numbered {
  readonly [Symbol.toStringTag] = "Numbered";
  readonly text: string;
  readonly number: number;

  constructor(text: string, number: number) {
    this.text = text;
    this.number = number;
  }

  toString(): string {
    return this.text;
  }
}

/**
 * Numbers the parser's attempts to read a value, which are the same each time for the same text. A value has the number
 * of the attempt that succeeded.
 */
class NumberingLoader extends LoaderState {
  /** The positions of the numbers wanted, once the text has been read. */
  readonly positions = new Map<number, Position>();
  readonly #wanted: ReadonlySet<number | undefined>;
  readonly #collections = new WeakMap<object, number>();
  readonly #names = new WeakMap<object, Map<string, number>>();
  readonly #warnings: unknown[];
  #attempts = 0;

  constructor(text: string, wanted: ReadonlySet<number | undefined> = new Set()) {
    const warnings: unknown[] = [];
    const schema = SCHEMA_MAP.get("failsafe");
    // the parser expects text without a byte order mark, and with a newline at its end
    super(`${text.replace(/^\ufeff/, "")}\n`, {
      ...(schema && { schema }),
      onWarning: (warning) => void warnings.push(warning),
    });
    this.#warnings = warnings;
    this.#wanted = wanted;
  }

  /** The number of `field` within `root`. */
  find(root: unknown, { path, isName = false }: Field): number | undefined {
    let [value, number] = [root, this.#numberOf(root)];
    for (const step of stepsOf(path)) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) break;
      const name = this.#names.get(value)?.get(step);
      value = (value as Record<string, unknown>)[step];
      number = (isName ? name : this.#numberOf(value)) ?? name ?? number;
    }
    return number;
  }

  override readBlockSequence(...rest: unknown[]) {
    return this.#locate(() => super.readBlockSequence(...rest));
  }

  override readBlockMapping(...rest: unknown[]) {
    return this.#locate(() => super.readBlockMapping(...rest));
  }

  override readFlowCollection(...rest: unknown[]) {
    return this.#locate(() => super.readFlowCollection(...rest));
  }

  override readBlockScalar(...rest: unknown[]) {
    return this.#locate(() => super.readBlockScalar(...rest));
  }

  override readSingleQuotedScalar(...rest: unknown[]) {
    return this.#locate(() => super.readSingleQuotedScalar(...rest));
  }

  override readDoubleQuotedScalar(...rest: unknown[]) {
    return this.#locate(() => super.readDoubleQuotedScalar(...rest));
  }

  override readPlainScalar(...rest: unknown[]) {
    return this.#locate(() => super.readPlainScalar(...rest));
  }

  override readAlias() {
    const number = this.#attempt();
    const value = super.readAlias();
    return typeof value === "string" ? new Numbered(value, number) : value;
  }

  override storeMappingPair(mapping: object, keys: unknown, tag: unknown, key: unknown, ...rest: unknown[]) {
    if (key instanceof Numbered) {
      const names = this.#names.get(mapping) ?? new Map<string, number>();
      this.#names.set(mapping, names.set(key.text, key.number));
    }
    return super.storeMappingPair(mapping, keys, tag, key, ...rest);
  }

  #locate(read: () => NodeState | undefined): NodeState | undefined {
    const number = this.#attempt();
    const node = read();
    const value = node?.result;
    if (node && typeof value === "string") node.result = new Numbered(value, number);
    else if (isCollection(value) && !this.#collections.has(value)) this.#collections.set(value, number);
    return node;
  }

  /** The number of an attempt that begins here. */
  #attempt(): number {
    const number = this.#attempts++;
    if (this.#wanted.has(number)) this.positions.set(number, this.#here());
    return number;
  }

  #here(): Position {
    this.#warnings.length = 0;
    this.dispatchWarning("");
    const [warning] = this.#warnings;
    return warning instanceof YamlSyntaxError ? { line: warning.line, column: warning.column } : START;
  }

  #numberOf(value: unknown): number | undefined {
    if (value instanceof Numbered) return value.number;
    return isCollection(value) ? this.#collections.get(value) : undefined;
  }
}

function isCollection(value: unknown): value is object {
  return typeof value === "object" && value !== null && !(value instanceof Numbered);
}

/** `routes`, `3` and `port` of `routes[3].port`. A name in quotes that is cut is not found. */
function stepsOf(path: string): string[] {
  const steps = path.matchAll(/\[(\d+)\]|([\w-]+)|("(?:[^"\\]|\\["\\/bfnrt]|\\u[0-9a-f]{4})*")/g);
  return [...steps].map(([, index, name, quoted]) => index ?? name ?? JSON.parse(quoted ?? '""'));
}
