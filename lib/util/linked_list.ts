/**
 * A doubly linked list in insertion order, with removal in constant time.
 *
 * Why not a `Set`: under churn its table is replaced again and again, and each old table points to the next. Once one
 * of them survives a young garbage collection, so do the entries of all later ones: with a `Set` of connections none was
 * collected young, and the pauses were ten times as long. A removed node points to no other.
 */

let linkAfter: <T extends ListNode<T>>(node: ListNode<T>, previous: T | undefined) => void;
let unlink: <T extends ListNode<T>>(
  node: ListNode<T>,
) => readonly [previous: T | undefined, next: T | undefined];
let nextOf: <T extends ListNode<T>>(node: ListNode<T>) => T | undefined;

/** Base class of list entries. A node is in one list at a time. */
export abstract class ListNode<T extends ListNode<T>> {
  #previous: T | undefined = undefined;
  #next: T | undefined = undefined;
  #joined = false;

  /** Whether the node is in a list. */
  get joined(): boolean {
    return this.#joined;
  }

  static {
    linkAfter = <T extends ListNode<T>>(node: ListNode<T>, previous: T | undefined) => {
      node.#joined = true;
      node.#previous = previous;
      if (previous) previous.#next = node as T;
    };
    unlink = <T extends ListNode<T>>(node: ListNode<T>) => {
      const [previous, next] = [node.#previous, node.#next];
      if (previous) previous.#next = next;
      if (next) next.#previous = previous;
      node.#previous = node.#next = undefined;
      node.#joined = false;
      return [previous, next];
    };
    nextOf = <T extends ListNode<T>>(node: ListNode<T>) => node.#next;
  }
}

/** The list. Its links are in its nodes. */
export class LinkedList<T extends ListNode<T>> implements Iterable<T> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  /** Number of nodes. */
  get size(): number {
    return this.#size;
  }

  /** The oldest node. */
  get first(): T | undefined {
    return this.#first;
  }

  /** Appends `node`, which must not be in a list. */
  join(node: T): void {
    linkAfter<T>(node, this.#last);
    this.#first ??= node;
    this.#last = node;
    this.#size += 1;
  }

  /** Removes `node`, which must be in this list or in none. False if it was in none. */
  leave(node: T): boolean {
    if (!node.joined) return false;
    const [previous, next] = unlink<T>(node);
    if (!previous) this.#first = next;
    if (!next) this.#last = previous;
    this.#size -= 1;
    return true;
  }

  /** The nodes present at the start. Nodes may be added and removed during iteration; removed ones are skipped. */
  *[Symbol.iterator](): Iterator<T> {
    const nodes: T[] = [];
    for (let node = this.#first; node; node = nextOf<T>(node)) nodes.push(node);
    for (const node of nodes) if (node.joined) yield node;
  }
}
