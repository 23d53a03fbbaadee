/** Evictions that threads with shared counts request of each other. */

/**
 * The connections that another thread must evict: silent clients whose places were taken, or connections of an ID with
 * a rank below that of its latest connection.
 */
export type Eviction = "silent" | { readonly id: string; readonly below: number };

/** Forwards an eviction to another thread; for a dead one it does nothing. */
export type OnEviction = (thread: number, eviction: Eviction) => void;
