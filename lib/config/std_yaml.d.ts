/** What Switchyard uses of the YAML parser of Deno's standard library, which comes from npm without types. */

/** Where and why a text is not YAML. `line` counts from 1. */
export class YamlSyntaxError extends SyntaxError {
  readonly line: number;
}

/** How to read a document. */
export interface ParseOptions {
  /** Which plain scalars are more than text: none (`failsafe`), or numbers, booleans, null and dates. */
  readonly schema?: "failsafe" | "default";
  readonly onWarning?: (warning: Error) => void;
}

/** The one document in `content`. */
export function parse(content: string, options?: ParseOptions): unknown;
