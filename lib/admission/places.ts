/** The places under `limits.connections`: who gets one, and who is evicted for it. */

import { hasRoom } from "../shared/places.ts";

/** Counts of the connections that have a place. One thread keeps them for itself; several threads share them. */
export interface Places {
  /**
   * Takes a place for a silent client. "evict": it is the place of the silent client that has waited longest in this
   * thread, which gives none back. "full": all places belong to clients with an ID, and none was taken.
   */
  take(limit: number): "free" | "evict" | "full";
  /** The ID of a silent client has come. False where clients must be evicted first (`settle`), perhaps this one. */
  identify(): boolean;
  /** A connection has ended, whose client was silent or not. */
  leave(wasSilent: boolean): void;
  /** The number of silent clients, the oldest first, that must be evicted now: other threads have their places. */
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
