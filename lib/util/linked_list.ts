/**
 * Nodes in the order in which they joined, each of which leaves in constant time.
 *
 * Why not a `Set`: under churn its table is replaced again and again, and each old table points to the next. Once one
 * of them has outlived a young garbage collection, the nodes of all that follow do too: with a `Set` of connections
 * none was collected young, and the pauses were ten times as long. A node that has left points to nobody.
 */

/** Extended by what joins a list; a node is in one list at most. */
export class ListNode<T extends ListNode<T>> {
  /** Kept by the list. */
  previous: T | undefined = undefined;
  /** Kept by the list. */
  next: T | undefined = undefined;
  /** Kept by the list: whether it has joined and not left. */
  joined = false;
}

/** A doubly linked list whose links are in its nodes. */
export class LinkedList<T extends ListNode<T>> implements Iterable<T> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  /** Number of nodes. */
  get size(): number {
    return this.#size;
  }

  /** The one that joined first. */
  get first(): T | undefined {
    return this.#first;
  }

  /** Adds `node`, which must be in no list, at the end. */
  join(node: T): void {
    node.joined = true;
    node.previous = this.#last;
    if (this.#last) this.#last.next = node;
    else this.#first = node;
    this.#last = node;
    this.#size += 1;
  }

  /** Takes `node` out. False where it was not in. */
  leave(node: T): boolean {
    if (!node.joined) return false;
    const { previous, next } = node;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    node.previous = node.next = undefined;
    node.joined = false;
    this.#size -= 1;
    return true;
  }

  /** The nodes that are in when it begins; each may leave, and others may join, while it goes on. */
  *[Symbol.iterator](): Iterator<T> {
    const nodes: T[] = [];
    for (let node = this.#first; node; node = node.next) nodes.push(node);
    for (const node of nodes) if (node.joined) yield node;
  }
}
