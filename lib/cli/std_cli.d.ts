/** Types for the used part of the standard library's argument parser, which npm carries without types. */
export function parseArgs(args: readonly string[], options: {
  readonly string?: readonly string[];
  readonly boolean?: readonly string[];
  readonly collect?: readonly string[];
  readonly alias?: Readonly<Record<string, string>>;
  readonly unknown?: (argument: string, key?: string, value?: unknown) => boolean;
}): { readonly _: readonly (string | number)[]; readonly [name: string]: unknown };
