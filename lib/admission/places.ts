/** The places under `limits.connections`: which clients get one, and which are evicted for them. */

import { hasRoom } from "../shared/places.ts";

/** Counts of connections that have a place, in one thread or shared by several. */
export interface Places {
  /**
   * Takes a place for a silent client. "evict": it is the place of the longest-silent client of this thread, which must
   * not be released as well. "full": all places belong to clients with an ID, and none was taken.
   */
  take(limit: number): "free" | "evict" | "full";
  /** A silent client has sent its ID. False if clients must be evicted first (`settle`), perhaps this one. */
  identify(): boolean;
  /** A connection has ended; `wasSilent` if it had sent no ID. */
  leave(wasSilent: boolean): void;
  /** Returns the number of silent clients, oldest first, that must be evicted now: other threads have their places. */
  settle(): number;
}

/** The places of one thread. */
export class LocalPlaces implements Places {
  #silent = 0;
  #identified = 0;

  take(limit: number): "free" | "evict" | "full" {
    if (hasRoom(limit, this.#silent, this.#identified)) {
      this.#silent += 1;
      return "free";
    }
    return this.#silent > 0 ? "evict" : "full";
  }

  identify(): boolean {
    this.#silent -= 1;
    this.#identified += 1;
    return true;
  }

  leave(wasSilent: boolean): void {
    if (wasSilent) this.#silent -= 1;
    else this.#identified -= 1;
  }

  settle(): number {
    return 0;
  }
}
