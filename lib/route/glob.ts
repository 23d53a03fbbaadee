/**
 * Globs over IDs, matched without a regular expression: one that backtracks takes minutes over an ID that was made for
 * it. The work is at most the ID's length times that of the longest run of characters between two stars.
 */

/** An ID, or a part of a glob, as Unicode code points. */
export type CodePoints = ArrayLike<number>;

/** Stands for `?`, which is no code point. */
const ANY = -1;

/** `text` as code points, in which `?` counts a character outside the basic plane as one. */
export function codePointsOf(text: string): CodePoints {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

/** A glob: `*` is any run of characters, `?` is one, all else stands for itself. It covers the whole ID. */
export class Glob {
  /** What must be at the start, and for a glob without a star at the end too. */
  readonly #first: CodePoints;
  /** What must come next, in order, anywhere between the first and the last. */
  readonly #middle: readonly CodePoints[];
  /** What must be at the end; undefined for a glob without a star. */
  readonly #last: CodePoints | undefined;
  /** Length of the shortest ID that it matches. */
  readonly #least: number;

  constructor(glob: string) {
    const [first = [], ...others] = glob.split("*").map(piecesOf);
    this.#first = first;
    this.#last = others.pop();
    this.#middle = others.filter(({ length }) => length > 0);
    this.#least = [first, ...this.#middle, this.#last ?? []].reduce((sum, { length }) => sum + length, 0);
  }

  /**
   * Whether the whole of `id` matches. Each piece between stars is taken where it comes first: if the rest of the glob
   * fits behind a later place, it fits behind the first one too, so no place is tried twice.
   */
  matches(id: CodePoints): boolean {
    if (id.length < this.#least || !isAt(this.#first, id, 0)) return false;
    if (this.#last === undefined) return id.length === this.#least;
    const end = id.length - this.#last.length;
    if (!isAt(this.#last, id, end)) return false;
    let at = this.#first.length;
    for (const piece of this.#middle) {
      while (at + piece.length <= end && !isAt(piece, id, at)) at += 1;
      at += piece.length;
      if (at > end) return false;
    }
    return true;
  }
}

function piecesOf(text: string): CodePoints {
  return Array.from(text, (character) => character === "?" ? ANY : character.codePointAt(0) ?? 0);
}

/** Whether `piece` is in `id` at the place `at`; it has to fit in there. */
function isAt(piece: CodePoints, id: CodePoints, at: number): boolean {
  for (let index = 0; index < piece.length; index++) {
    if (piece[index] !== ANY && piece[index] !== id[at + index]) return false;
  }
  return true;
}
