/** The parser's inside, of which `locate.ts` reads the position of each value. */

/** A set of types that scalars may have. */
export interface Schema {
  readonly implicitTypes: readonly unknown[];
}

/** A node that has been read. */
export interface NodeState {
  result: unknown;
}

/** The parser at work on a text. Methods return undefined if the text at its position is something else. */
export class LoaderState {
  constructor(content: string, options: { schema?: Schema; onWarning?: (warning: Error) => void });
  dispatchWarning(message: string): void;
  readBlockSequence(...rest: unknown[]): NodeState | undefined;
  readBlockMapping(...rest: unknown[]): NodeState | undefined;
  readFlowCollection(...rest: unknown[]): NodeState | undefined;
  readBlockScalar(...rest: unknown[]): NodeState | undefined;
  readSingleQuotedScalar(...rest: unknown[]): NodeState | undefined;
  readDoubleQuotedScalar(...rest: unknown[]): NodeState | undefined;
  readPlainScalar(...rest: unknown[]): NodeState | undefined;
  readAlias(): unknown;
  storeMappingPair(mapping: object, keys: unknown, tag: unknown, key: unknown, ...rest: unknown[]): object;
  readDocuments(): Generator<unknown>;
}
