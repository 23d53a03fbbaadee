/** One thread's access to the counts that threads share. */

import { SharedCount, SharedCounts } from "./counts.ts";
import type { OnEviction } from "./eviction.ts";
import { KeyHasher, type Kind, KINDS } from "./key_hash.ts";
import { KeyTable } from "./key_table.ts";
import { HEADER, type SharedMemory } from "./memory.ts";
import { SharedPlaces } from "./places.ts";
import { SharedRates } from "./rates.ts";

/** Options of a thread's access. */
export interface SharedThreadOptions {
  readonly memory: SharedMemory;
  /** From 0 to `memory.threads - 1`, unique among running threads. */
  readonly index: number;
  readonly onEviction: OnEviction;
}

/** The counts and places that all threads share, as one thread uses them. */
export class SharedThread {
  readonly places: SharedPlaces;
  /** Connections by address. */
  readonly addresses: SharedCounts;
  /** Connections by ID. */
  readonly ids: SharedCounts;
  readonly rates: SharedRates;
  readonly #hasher: KeyHasher;
  readonly #table: KeyTable;
  readonly #sequences: BigInt64Array;

  /** @throws {RangeError} if the memory has no such index */
  constructor({ memory, index: thread, onEviction }: SharedThreadOptions) {
    const { header, keys, rates, hashKeys, threads } = memory;
    if (!(thread >= 0 && thread < threads)) throw new RangeError(`no thread ${thread} among ${threads}`);
    const hasher = this.#hasher = new KeyHasher(hashKeys);
    this.#table = new KeyTable({ memory: keys, threads, thread });
    this.#sequences = new BigInt64Array(header, 0, HEADER.rows / 2);
    this.places = new SharedPlaces({
      header,
      threads,
      thread,
      onDebt: (other) => onEviction(other, "silent"),
    });
    const rank = () => this.#next(HEADER.claim);
    const count = (kind: Kind) => (key: string) => this.#count(kind, key);
    this.addresses = new SharedCounts({ count: count(KINDS.address), rank, onEviction });
    this.ids = new SharedCounts({ count: count(KINDS.id), rank, onEviction });
    this.rates = new SharedRates({ memory: rates, thread, hasher });
  }

  /** The number of a new connection: higher than all before, in any thread. */
  nextNumber(): number {
    return this.#next(HEADER.number);
  }

  /** Connections to a server. @param key Identifies the server in all threads and over reloads. */
  ofServer(key: string): SharedCount {
    return this.#count(KINDS.server, key);
  }

  #count(kind: Kind, key: string): SharedCount {
    return new SharedCount(this.#table, this.#hasher.of(kind, key));
  }

  #next(sequence: number): number {
    return Number(Atomics.add(this.#sequences, sequence / 2, 1n)) + 1;
  }
}
