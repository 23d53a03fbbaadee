/** Admission: checks each connection against the address lists, the connection limits and the rates. */

import { type Config, DEFAULT_CONNECTIONS } from "../config/config.ts";
import { Refusal } from "../errors.ts";
import type { Eviction } from "../shared/eviction.ts";
import { subnetOf } from "../util/cidr.ts";
import { LinkedList } from "../util/linked_list.ts";
import { AccessList } from "./access_list.ts";
import { type Counts, MapCounts } from "./counts.ts";
import { type Admittance, type Evict, type Permit, Place } from "./permit.ts";
import { LocalPlaces, type Places } from "./places.ts";
import { RateLimiter } from "./rate_limiter.ts";

/** The part of a configuration that limits connections. */
export type Limits = Pick<Config, "allow" | "deny" | "limits" | "duplicate_id">;

/** The counts for permits: of one thread, or over all of them. */
export interface AdmissionCounts {
  readonly places: Places;
  /** Connections by address. */
  readonly addresses: Counts;
  /** Connections by ID. */
  readonly ids: Counts;
  readonly rates: Pick<RateLimiter, "tryTake">;
}

/** Grants permits under limits that a reload may change. Permits once granted stay valid. */
export class Limiter implements Admittance {
  #limits: Limits;
  #access: AccessList | undefined;
  /** Permits of clients that have not sent an ID, oldest first. */
  readonly #silent = new LinkedList<Place>();
  readonly #identified = new LinkedList<Place>();
  readonly #places: Places;
  readonly #subnets: Counts;
  readonly #ids: Counts;
  readonly #rates: AdmissionCounts["rates"];
  /** Permits by counted ID, only under `duplicate_id: replace`. */
  readonly #holders = new Map<string, Set<Place>>();

  /** @param counts Those of all threads. @default counts of this limiter */
  constructor(limits: Limits, counts: AdmissionCounts = ownCounts()) {
    this.#limits = limits;
    this.#places = counts.places;
    this.#subnets = counts.addresses;
    this.#ids = counts.ids;
    this.#rates = counts.rates;
    this.configure(limits);
  }

  /** Number of granted permits. */
  get held(): number {
    return this.#silent.size + this.#identified.size;
  }

  /** Replaces the limits. Open connections count under the new ones, but none is closed. */
  configure(limits: Limits): void {
    this.#limits = limits;
    const { allow, deny } = limits;
    this.#access = allow || deny.length > 0 ? new AccessList({ allow, deny }) : undefined;
    this.#holders.clear();
    for (const place of this.#silent) this.#count(place);
    for (const place of this.#identified) this.#count(place);
  }

  /**
   * Admits a connection that has not sent an ID yet. If all places are taken, or half of them by silent clients, the
   * longest-silent one is evicted: so silent clients cannot block a client that sends its ID before half as many others
   * connect as there are places.
   *
   * @param evict Closes this connection when it has to make room for another.
   * @param address The client's; omitted behind a proxy, whose header has it (`Permit.from`).
   * @throws {Refusal} FORBIDDEN, or LIMIT_EXCEEDED if clients with an ID hold every place
   */
  reserve(evict: Evict, address?: string): Permit {
    const place = new Place(this, evict);
    if (address !== undefined) this.#admit(place, address);
    try {
      this.#takePlace();
    } catch (error) {
      this.release(place);
      throw error;
    }
    this.#silent.join(place);
    return place;
  }

  from(place: Place, address: string): void {
    // the handshake of an evicted connection may still get this far
    if (place.joined) this.#admit(place, address);
  }

  identified(place: Place, id: string): void {
    while (place.joined && !this.#places.identify()) this.#settle();
    if (!this.#silent.leave(place)) return;
    this.#identified.join(place);
    place.id = id;
    if (!this.#countsIds) return;
    if (this.#limits.duplicate_id === "replace") {
      this.#evictHolders(id);
      place.rank = this.#ids.claim(id);
    } else if (!this.#ids.tryAdd(id, this.#idLimit)) throw exceeded(this.#idProblem);
    place.countedId = true;
    this.#hold(place, id);
  }

  /** Carries out an eviction for another thread. */
  evict(eviction: Eviction): void {
    if (eviction === "silent") this.#settle();
    else this.#evictHolders(eviction.id, eviction.below);
  }

  release(place: Place): void {
    const isSilent = place.id === undefined;
    if ((isSilent ? this.#silent : this.#identified).leave(place)) this.#places.leave(isSilent);
    this.#forget(place);
  }

  #forget(place: Place): void {
    if (place.countedSubnet !== undefined) this.#subnets.release(place.countedSubnet);
    place.countedSubnet = undefined;
    if (!place.countedId || place.id === undefined) return;
    place.countedId = false;
    this.#ids.release(place.id);
    const holders = this.#holders.get(place.id);
    holders?.delete(place);
    if (holders?.size === 0) this.#holders.delete(place.id);
  }

  get #countsIds(): boolean {
    return this.#limits.duplicate_id !== "allow" || this.#limits.limits.connections_per_id > 0;
  }

  /** Maximum number of connections of an ID; 0 is no limit. */
  get #idLimit(): number {
    return this.#limits.duplicate_id === "allow" ? this.#limits.limits.connections_per_id : 1;
  }

  get #idProblem(): string {
    if (this.#limits.duplicate_id === "reject") return "this ID is already connected";
    return "too many connections of this ID";
  }

  #admit(place: Place, address: string): void {
    this.#checkAccess(address);
    const { connection_rate_per_ip: rate, connections_per_ip: limit } = this.#limits.limits;
    place.address = address;
    if (rate === 0 && limit === 0) return;
    const subnet = subnetOf(address);
    if (rate > 0 && !this.#rates.tryTake(subnet, rate)) {
      throw exceeded(`more than ${rate} connections a second from ${subnet}`);
    }
    if (limit === 0) return;
    if (!this.#subnets.tryAdd(subnet, limit)) throw exceeded(`more than ${limit} connections from ${subnet}`);
    place.countedSubnet = subnet;
  }

  #checkAccess(address: string): void {
    const verdict = this.#access?.verdict(address);
    if (!verdict || verdict.allowed) return;
    throw new Refusal("FORBIDDEN", `connections from ${address} are not allowed`, { cause: verdict.because });
  }

  #takePlace(): void {
    const limit = this.#limits.limits.connections ?? DEFAULT_CONNECTIONS;
    const place = this.#places.take(limit);
    if (place === "full") throw exceeded(`the limit of ${limit} connections is reached`);
    if (place === "evict") this.#evictOldest();
  }

  /** Evicts the silent clients whose places other threads have taken. */
  #settle(): void {
    for (let due = this.#places.settle(); due > 0; due--) this.#evictOldest();
  }

  /** Evicts the connections of an ID that has connected again, in any thread. */
  #evictHolders(id: string, below = Infinity): void {
    const replaced = new Refusal("REPLACED", "this ID has connected again");
    for (const older of [...this.#holders.get(id) ?? []]) {
      if (older.rank < below) this.#evict(older, replaced);
    }
  }

  /** Evicts the longest-silent client, whose place another one has taken. */
  #evictOldest(): void {
    const oldest = this.#silent.first;
    if (!oldest) return;
    this.#silent.leave(oldest);
    this.#evict(oldest, exceeded("evicted: no ID sent, and the connection limit is reached"));
  }

  /** Releases the place at once: the connection takes a moment to close. */
  #evict(place: Place, why: Refusal): void {
    this.release(place);
    place.evict(why);
  }

  /** Counts an already open connection if the new limits require it and there is room to count it. */
  #count(place: Place): void {
    const { address, id } = place;
    if (
      address !== undefined && place.countedSubnet === undefined && this.#limits.limits.connections_per_ip > 0
    ) {
      const subnet = subnetOf(address);
      if (hasAdded(this.#subnets, subnet)) place.countedSubnet = subnet;
    }
    if (id === undefined || !this.#countsIds) return;
    place.countedId ||= hasAdded(this.#ids, id);
    if (place.countedId) this.#hold(place, id);
  }

  #hold(place: Place, id: string): void {
    if (this.#limits.duplicate_id !== "replace") return;
    const holders = this.#holders.get(id);
    if (holders) holders.add(place);
    else this.#holders.set(id, new Set([place]));
  }
}

function ownCounts(): AdmissionCounts {
  return {
    places: new LocalPlaces(),
    addresses: new MapCounts(),
    ids: new MapCounts(),
    rates: new RateLimiter(),
  };
}

function hasAdded(counts: Counts, key: string): boolean {
  try {
    return counts.tryAdd(key, 0);
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

function exceeded(message: string): Refusal {
  return new Refusal("LIMIT_EXCEEDED", message);
}
