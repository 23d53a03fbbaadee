/** What Switchyard uses of the YAML parser of Deno's standard library, which comes from npm without types. */

/** Where and why a text is not YAML. `line` and `column` count from 1. */
export class YamlSyntaxError extends SyntaxError {
  readonly line: number;
  readonly column: number;
}

/** The one document in `content`, its scalars told apart as `schema` says. */
export function parse(content: string, options?: { readonly schema?: "failsafe" | "default" }): unknown;
