/** What one connection holds of the limits. */

import type { Refusal } from "../errors.ts";
import { ListNode } from "../util/linked_list.ts";

/** A connection's place under the limits, from accept to its end. Disposing of it gives everything back, once. */
export interface Permit extends Disposable {
  /**
   * Checks the client's address, where it became known after the connection was accepted (behind a proxy).
   *
   * @throws {Refusal} FORBIDDEN or LIMIT_EXCEEDED
   */
  from(address: string): void;
  /**
   * Counts the connection for its ID; from now on it is no longer a silent one.
   *
   * @throws {Refusal} LIMIT_EXCEEDED
   */
  identified(id: string): void;
}

/** Ends the connection that holds the permit, for `why`. */
export type Evict = (why: Refusal) => void;

/** The rules that permits are checked against. */
export interface Admittance {
  from(place: Place, address: string): void;
  identified(place: Place, id: string): void;
  release(place: Place): void;
}

/** A permit as its limiter sees it. */
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
  /** See `Counts.claim`; 0 where the ID was counted without a claim. */
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
