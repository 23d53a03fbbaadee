/** What threads that share counts ask of each other. */

/**
 * What another thread is to evict: silent clients whose places were taken, or the connections of an ID that has connected
 * again, which have a lower rank.
 */
export type Eviction = "silent" | { readonly id: string; readonly below: number };

/** Passes an eviction on to another thread; one that has died needs none. */
export type OnEviction = (thread: number, eviction: Eviction) => void;
