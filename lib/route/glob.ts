/**
 * Globs over IDs, matched without regular expressions: one that backtracks can take minutes for a malicious ID. The
 * work is at most twice the ID's length; for a piece between two stars that contains a `?`, it is the ID's length times
 * the length of the piece.
 */

/** An ID, or a part of a glob, as Unicode code points. */
export type CodePoints = ArrayLike<number>;

/** Represents `?`; not a valid code point. */
const ANY = -1;

/** `text` as code points, so that `?` matches a character outside the basic plane as one. */
export function codePointsOf(text: string): CodePoints {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

/** The text between two stars. */
interface Piece {
  readonly points: CodePoints;
  /** See `bordersOf`; undefined for a piece with a `?`. */
  readonly borders: readonly number[] | undefined;
}

/** A glob: `*` matches any run of characters, `?` any one. It must match the whole ID. */
export class Glob {
  /** The prefix; for a glob without a star, the whole. */
  readonly #first: CodePoints;
  /** Pieces that must follow the prefix, in order, before the suffix. */
  readonly #middle: readonly Piece[];
  /** The suffix; undefined for a glob without a star. */
  readonly #last: CodePoints | undefined;
  /** Length of the shortest ID that it matches. */
  readonly #least: number;

  constructor(glob: string) {
    const [first = [], ...others] = glob.split("*").map(piecesOf);
    this.#first = first;
    this.#last = others.pop();
    const middle = others.filter(({ length }) => length > 0);
    this.#middle = middle.map((points) => ({ points, borders: bordersOf(points) }));
    this.#least = [first, ...middle, this.#last ?? []].reduce((sum, { length }) => sum + length, 0);
  }

  /**
   * Whether the whole of `id` matches. Each piece between stars is matched at its first occurrence: if the rest of the
   * glob matches after a later one, it also matches after the first, so no backtracking is needed.
   */
  matches(id: CodePoints): boolean {
    if (id.length < this.#least || !isAt(this.#first, id, 0)) return false;
    if (this.#last === undefined) return id.length === this.#least;
    const end = id.length - this.#last.length;
    if (!isAt(this.#last, id, end)) return false;
    let at = this.#first.length;
    for (const piece of this.#middle) {
      const behind = endOf(piece, id, at, end);
      if (behind === undefined) return false;
      at = behind;
    }
    return true;
  }
}

function piecesOf(text: string): CodePoints {
  return Array.from(text, (character) => character === "?" ? ANY : character.codePointAt(0) ?? 0);
}

/** Whether `piece` is in `id` at index `at`, where it has to fit. */
function isAt(piece: CodePoints, id: CodePoints, at: number): boolean {
  for (let index = 0; index < piece.length; index++) {
    if (piece[index] !== ANY && piece[index] !== id[at + index]) return false;
  }
  return true;
}

/** The index after the first occurrence of a piece in `id` between `from` and `end`. */
function endOf({ points, borders }: Piece, id: CodePoints, from: number, end: number): number | undefined {
  if (!borders) {
    for (let at = from; at + points.length <= end; at++) {
      if (isAt(points, id, at)) return at + points.length;
    }
    return undefined;
  }
  let matched = 0;
  for (let at = from; at < end; at++) {
    const point = id[at];
    while (matched > 0 && points[matched] !== point) matched = borders[matched - 1] ?? 0;
    if (points[matched] === point) matched += 1;
    if (matched === points.length) return at + 1;
  }
  return undefined;
}

/**
 * For each prefix of `points`, the length of its longest proper prefix that is also its suffix: where a search
 * continues after a mismatch (Knuth, Morris and Pratt). Undefined if a `?` makes that depend on the ID.
 */
function bordersOf(points: CodePoints): readonly number[] | undefined {
  const borders = [0];
  for (let at = 1, matched = 0; at < points.length; at++) {
    while (matched > 0 && points[matched] !== points[at]) matched = borders[matched - 1] ?? 0;
    if (points[matched] === points[at]) matched += 1;
    borders.push(matched);
  }
  return Array.from(points).includes(ANY) ? undefined : borders;
}
