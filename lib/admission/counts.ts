/** What is open and how fast it came, by address and by ID: the counts that limits are held against. */

/**
 * What a connection holds of the limits. It is kept with the connection, so that exactly that is given back, whatever
 * the configuration says by then.
 */
export interface Holder {
  /** Whether it counts among all connections. */
  counted: boolean;
  /** The client's address or network that it counts for. */
  countedAddress: string | undefined;
  /** The ID that it counts for. */
  countedId: string | undefined;
}

/** The counts of one balancer; they outlive a reload. */
export class Occupancy<T extends Holder = Holder> {
  readonly rates = new Rates();
  readonly #byAddress = new Map<string, number>();
  readonly #byId = new Map<string, Set<T>>();
  #total = 0;

  /** Connections that hold a place. */
  get total(): number {
    return this.#total;
  }

  /** Connections that count for `address`. */
  ofAddress(address: string): number {
    return this.#byAddress.get(address) ?? 0;
  }

  /** Connections that count for `id`, the oldest first. */
  ofId(id: string): ReadonlySet<T> {
    return this.#byId.get(id) ?? NONE;
  }

  take(holder: T): void {
    holder.counted = true;
    this.#total += 1;
  }

  takeAddress(holder: T, address: string): void {
    holder.countedAddress = address;
    this.#byAddress.set(address, this.ofAddress(address) + 1);
  }

  takeId(holder: T, id: string): void {
    holder.countedId = id;
    const holders = this.#byId.get(id);
    if (holders) holders.add(holder);
    else this.#byId.set(id, new Set([holder]));
  }

  /** Gives back all that `holder` holds. May be called again. */
  release(holder: T): void {
    if (holder.counted) this.#total -= 1;
    holder.counted = false;
    if (holder.countedAddress !== undefined) this.#releaseAddress(holder.countedAddress);
    holder.countedAddress = undefined;
    if (holder.countedId !== undefined) this.#releaseId(holder.countedId, holder);
    holder.countedId = undefined;
  }

  #releaseAddress(address: string): void {
    const left = this.ofAddress(address) - 1;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  }

  #releaseId(id: string, holder: T): void {
    const holders = this.#byId.get(id);
    holders?.delete(holder);
    if (holders?.size === 0) this.#byId.delete(id);
  }
}

const NONE: ReadonlySet<never> = new Set();

/** Addresses remembered in one generation; a flood from more of them costs 20 MB, and is forgotten sooner. */
const MOST_ADDRESSES = 100_000;

/** A bucket that has not been touched for this long, in milliseconds, is full again and need not be remembered. */
const FULL_AGAIN_MS = 1000;

/**
 * Token buckets by address: `rate` tokens a second, and no more than `rate` at once.
 *
 * A bucket is one number, the time at which it will be full again. They are kept in two generations, the older of
 * which is dropped once all in it are full, or once the younger one has grown to `MOST_ADDRESSES`.
 */
export class Rates {
  readonly #now: () => number;
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #bornAt = 0;

  /** @param now Milliseconds of a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Number of buckets remembered. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Takes a token of `address`; false where there is none. */
  take(address: string, rate: number): boolean {
    const now = this.#now();
    this.#age(now);
    const fullAt = Math.max(this.#young.get(address) ?? this.#old.get(address) ?? 0, now) + 1000 / rate;
    // a rounding error must not cost the last token
    if (fullAt - now > FULL_AGAIN_MS + 1e-6) return false;
    this.#young.set(address, fullAt);
    return true;
  }

  #age(now: number): void {
    if (now - this.#bornAt < FULL_AGAIN_MS && this.#young.size < MOST_ADDRESSES) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#bornAt = now;
  }
}
