/**
 * Finds the line and the column of fields in a YAML text.
 *
 * The parser gives values without positions, and a position for warnings only. So where a configuration has errors it
 * is parsed once more, by a parser that warns at each value. A configuration without errors pays nothing.
 */

// @ts-types="./std_yaml_loader.d.ts"
import { LoaderState, type NodeState } from "@std/yaml/loader-state";
// @ts-types="./std_yaml_schema.d.ts"
import { SCHEMA_MAP } from "@std/yaml/schema";
// @ts-types="./std_yaml.d.ts"
import { YamlSyntaxError } from "@std/yaml";

/** Where something begins. Both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A field of which the position is wanted. */
export interface Field {
  /** Such as `routes[3].port`; empty for the whole document. */
  readonly path: string;
  /** Whether the position is that of the field's name instead of its value. */
  readonly isName?: boolean;
}

/**
 * The position of a field, by its path: of the innermost value around it where it is not there itself.
 *
 * @param text One YAML document, as `parseYamlValue` accepts it.
 */
export function fieldLocator(text: string): (field: Field) => Position {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // each position costs an error
  try {
    const loader = new PositionLoader(text);
    const [root] = loader.readDocuments();
    return (field) => loader.find(root, field);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

const START: Position = { line: 1, column: 1 };

/** A scalar with its position. As a mapping's key the parser turns it into its text, unless it is a plain object. */
class Located {
  readonly [Symbol.toStringTag] = "Located";
  readonly text: string;
  readonly position: Position;

  constructor(text: string, position: Position) {
    this.text = text;
    this.position = position;
  }

  toString(): string {
    return this.text;
  }
}

class PositionLoader extends LoaderState {
  readonly #collections = new WeakMap<object, Position>();
  readonly #names = new WeakMap<object, Map<string, Position>>();
  readonly #warnings: unknown[];

  constructor(text: string) {
    const warnings: unknown[] = [];
    const schema = SCHEMA_MAP.get("failsafe");
    // the parser expects text without a byte order mark, and with a newline at its end
    super(`${text.replace(/^\ufeff/, "")}\n`, {
      ...(schema && { schema }),
      onWarning: (warning) => void warnings.push(warning),
    });
    this.#warnings = warnings;
  }

  /** The position of `field` within `root`. */
  find(root: unknown, { path, isName = false }: Field): Position {
    let [value, position] = [root, this.#positionOf(root) ?? START];
    for (const step of stepsOf(path)) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) break;
      const name = this.#names.get(value)?.get(step);
      value = (value as Record<string, unknown>)[step];
      position = (isName ? name : this.#positionOf(value)) ?? name ?? position;
    }
    return position;
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
    const position = this.#here();
    const value = super.readAlias();
    return typeof value === "string" ? new Located(value, position) : value;
  }

  override storeMappingPair(mapping: object, keys: unknown, tag: unknown, key: unknown, ...rest: unknown[]) {
    if (key instanceof Located) {
      const names = this.#names.get(mapping) ?? new Map<string, Position>();
      this.#names.set(mapping, names.set(key.text, key.position));
    }
    return super.storeMappingPair(mapping, keys, tag, key, ...rest);
  }

  #locate(read: () => NodeState | undefined): NodeState | undefined {
    const position = this.#here();
    const node = read();
    const value = node?.result;
    if (node && typeof value === "string") node.result = new Located(value, position);
    else if (isCollection(value) && !this.#collections.has(value)) this.#collections.set(value, position);
    return node;
  }

  #here(): Position {
    this.#warnings.length = 0;
    this.dispatchWarning("");
    const [warning] = this.#warnings;
    return warning instanceof YamlSyntaxError ? { line: warning.line, column: warning.column } : START;
  }

  #positionOf(value: unknown): Position | undefined {
    if (value instanceof Located) return value.position;
    return isCollection(value) ? this.#collections.get(value) : undefined;
  }
}

function isCollection(value: unknown): value is object {
  return typeof value === "object" && value !== null && !(value instanceof Located);
}

/** `routes`, `3` and `port` of `routes[3].port`. A name in quotes that is cut is not found. */
function stepsOf(path: string): string[] {
  const steps = path.matchAll(/\[(\d+)\]|([\w-]+)|("(?:[^"\\]|\\["\\/bfnrt]|\\u[0-9a-f]{4})*")/g);
  return [...steps].map(([, index, name, quoted]) => index ?? name ?? JSON.parse(quoted ?? '""'));
}
