/** Finds settings that are valid, but probably not intended. */

import type { Config, RouteConfig } from "./config.ts";

/** A warning about one field. */
export interface Warning {
  /** Such as `routes[3].match`. */
  readonly path: string;
  readonly message: string;
}

/** Most globs to compare: the time is quadratic, a few tenths of a second for this number at worst. */
const MAX_GLOBS = 300;

interface Glob {
  readonly path: string;
  readonly match: string;
}

/** Every warning, in file order. */
export function* configWarnings(
  { routes, default: fallback }: Pick<Config, "routes" | "default">,
): Generator<Warning> {
  const globs = globsOf(routes);
  for (const [index, { path, match }] of globs.slice(0, MAX_GLOBS).entries()) {
    const before = globs.slice(0, index).find((earlier) => covers(earlier.match, match));
    if (before) {
      yield {
        path,
        message: `"${match}" never matches: ${before.path} "${before.match}" matches all of its IDs first`,
      };
    }
  }
  const all = globs.find(({ match }) => covers(match, "*"));
  if (fallback && all) {
    yield { path: "default", message: `is never used: ${all.path} "${all.match}" matches every ID` };
  }
}

function globsOf(routes: readonly RouteConfig[]): Glob[] {
  return routes.flatMap(({ match }, index) =>
    match === undefined ? [] : [{ path: `routes[${index}].match`, match }]
  );
}

/**
 * Whether `glob` matches every ID that `other` matches. Some coverings are missed, such as that of `*a*` by two globs
 * together; none is invented.
 */
function covers(glob: string, other: string): boolean {
  if (!literalStart(other).startsWith(literalStart(glob))) return false;
  // one row of a table: whether the glob up to a symbol covers the other up to the present one
  const symbols = [...glob];
  let row = [true, ...symbols.map((_, index) => symbols.slice(0, index + 1).every((each) => each === "*"))];
  for (const wanted of other) {
    const next = [false];
    for (const [index, symbol] of symbols.entries()) {
      const rest = symbol === "*" && (next[index] || row[index + 1] || row[index]);
      const one = row[index] && wanted !== "*" && (symbol === "?" || symbol === wanted);
      next.push(Boolean(rest || (one && symbol !== "*")));
    }
    row = next;
  }
  return row.at(-1) ?? false;
}

/** The text before the first wildcard. */
function literalStart(glob: string): string {
  return /^[^*?]*/.exec(glob)?.[0] ?? "";
}
