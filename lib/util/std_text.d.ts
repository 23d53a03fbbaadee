/** The part of Deno's standard library for text that Switchyard uses; the npm package has no types. */

/** The one of `words`, of which there must be one at least, with the least distance to `word`; Levenshtein is the default. */
export function closestString(
  word: string,
  words: readonly string[],
  options?: { readonly compareFn?: (one: string, other: string) => number },
): string;

/** Insertions, deletions and replacements of code points between two words. */
export function levenshteinDistance(one: string, other: string): number;
