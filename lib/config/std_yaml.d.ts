/** The parts of the YAML parser of Deno's standard library that Switchyard uses; its npm build has no types. */

/** Where and why a text is not YAML. Line and column count from 1. */
export class YamlSyntaxError extends SyntaxError {
  readonly line: number;
  readonly column: number;
}

/** How to read a document. */
export interface ParseOptions {
  /** Which plain scalars are more than text: none (`failsafe`), or numbers, booleans, null and dates. */
  readonly schema?: "failsafe" | "default";
  readonly onWarning?: (warning: Error) => void;
}

/** The one document in `content`. */
export function parse(content: string, options?: ParseOptions): unknown;
