/**
 * Members in the order in which they joined, each of which leaves in constant time.
 *
 * Why not a `Set`: under churn its table is replaced again and again, and each old table points to the next. Once one
 * of them has outlived a young garbage collection, the members of all that follow do too: with a `Set` of connections
 * none was collected young, and the pauses were ten times as long. A member that has left points to nobody.
 */

/** Extended by what joins a roster; a member is in one roster at most. */
export class Member<T extends Member<T>> {
  /** Kept by the roster. */
  previous: T | undefined = undefined;
  /** Kept by the roster. */
  next: T | undefined = undefined;
  /** Kept by the roster: whether it has joined and not left. */
  joined = false;
}

/** A doubly linked list whose links are in its members. */
export class Roster<T extends Member<T>> implements Iterable<T> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  /** Number of members. */
  get size(): number {
    return this.#size;
  }

  /** The one that joined first. */
  get first(): T | undefined {
    return this.#first;
  }

  /** Adds `member`, which must be in no roster, at the end. */
  join(member: T): void {
    member.joined = true;
    member.previous = this.#last;
    if (this.#last) this.#last.next = member;
    else this.#first = member;
    this.#last = member;
    this.#size += 1;
  }

  /** Takes `member` out. False where it was not in. */
  leave(member: T): boolean {
    if (!member.joined) return false;
    const { previous, next } = member;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    member.previous = member.next = undefined;
    member.joined = false;
    this.#size -= 1;
    return true;
  }

  /** The members that are in when it begins; each may leave, and others may join, while it goes on. */
  *[Symbol.iterator](): Iterator<T> {
    const members: T[] = [];
    for (let member = this.#first; member; member = member.next) members.push(member);
    for (const member of members) if (member.joined) yield member;
  }
}
