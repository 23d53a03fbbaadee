/** The share of the limits that one connection holds. */

import type { Refusal } from "../errors.ts";
import { ListNode } from "../util/linked_list.ts";

/** A connection's place under the limits, from accept to its end. Disposing of it releases everything, once. */
export interface Permit extends Disposable {
  /**
   * Checks the client's address if it became known only after the accept (behind a proxy).
   *
   * @throws {Refusal} FORBIDDEN or LIMIT_EXCEEDED
   */
  from(address: string): void;
  /**
   * Counts the connection for its ID; it is no longer silent.
   *
   * @throws {Refusal} LIMIT_EXCEEDED
   */
  identified(id: string): void;
}

/** Closes the connection that holds the permit, because of `why`. */
export type Evict = (why: Refusal) => void;

/** The limiter, as permits use it. */
export interface Admittance {
  from(place: Place, address: string): void;
  identified(place: Place, id: string): void;
  release(place: Place): void;
}

/** A permit, as its limiter uses it. */
export class Place extends ListNode<Place> implements Permit {
  readonly evict: Evict;
  readonly #admittance: Admittance;
  /** The client's address, once known. */
  address: string | undefined = undefined;
  /** The ID, once known. */
  id: string | undefined = undefined;
  /** The key under which the address is counted, if it is. */
  countedSubnet: string | undefined = undefined;
  /** Whether the ID is counted. */
  countedId = false;
  /** See `Counts.claim`; 0 if the ID was counted without a claim. */
  rank = 0;

  constructor(admittance: Admittance, evict: Evict) {
    super();
    this.#admittance = admittance;
    this.evict = evict;
  }

  from(address: string): void {
    this.#admittance.from(this, address);
  }

  identified(id: string): void {
    this.#admittance.identified(this, id);
  }

  [Symbol.dispose](): void {
    this.#admittance.release(this);
  }
}
