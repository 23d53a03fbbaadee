/** Admission: checks each connection against the address lists, the connection limits and the rates. */

import { type Config, DEFAULT_CONNECTIONS } from "../config/config.ts";
import { Refusal } from "../errors.ts";
import { subnetOf } from "../util/cidr.ts";
import { LinkedList } from "../util/linked_list.ts";
import { AccessList } from "./access_list.ts";
import { type Counts, MapCounts } from "./counts.ts";
import { type Admittance, type Evict, type Permit, Place } from "./permit.ts";
import { RateLimiter } from "./rate_limiter.ts";

/** The part of a configuration that limits connections. */
export type Limits = Pick<Config, "allow" | "deny" | "limits" | "duplicate_id">;

/** Grants permits under limits that a reload may change. Permits that are held stay granted. */
export class Limiter implements Admittance {
  #limits: Limits;
  #access: AccessList | undefined;
  /** Permits whose client has not sent its ID, the oldest first. */
  readonly #silent = new LinkedList<Place>();
  readonly #identified = new LinkedList<Place>();
  readonly #subnets: Counts = new MapCounts();
  readonly #ids: Counts = new MapCounts();
  /** Permits by counted ID, kept under `duplicate_id: replace` alone. */
  readonly #holders = new Map<string, Set<Place>>();
  readonly #rates = new RateLimiter();

  constructor(limits: Limits) {
    this.#limits = limits;
    this.configure(limits);
  }

  /** Number of permits held. */
  get held(): number {
    return this.#silent.size + this.#identified.size;
  }

  /** Replaces the limits. Connections that are open count under the new ones, but none is ended. */
  configure(limits: Limits): void {
    this.#limits = limits;
    const { allow, deny } = limits;
    this.#access = allow || deny.length > 0 ? new AccessList({ allow, deny }) : undefined;
    this.#holders.clear();
    for (const place of this.#silent) this.#count(place);
    for (const place of this.#identified) this.#count(place);
  }

  /**
   * Admits a connection whose client is silent as yet. Where every place is taken, or half of them by silent clients,
   * the one silent for longest is evicted: so silent clients, however many, keep out nobody whose ID comes
   * before half as many newcomers as there are places.
   *
   * @param evict Ends this connection, when it has to make room for another.
   * @param address The client's; left out behind a proxy, which names the client later (`Permit.from`).
   * @throws {Refusal} FORBIDDEN, or LIMIT_EXCEEDED where clients with an ID hold every place
   */
  reserve(evict: Evict, address?: string): Permit {
    const place = new Place(this, evict);
    if (address !== undefined) this.#admit(place, address);
    try {
      this.#makeRoom();
    } catch (error) {
      this.release(place);
      throw error;
    }
    this.#silent.join(place);
    return place;
  }

  from(place: Place, address: string): void {
    // the handshake of a connection that was evicted may get this far
    if (place.joined) this.#admit(place, address);
  }

  identified(place: Place, id: string): void {
    if (!this.#silent.leave(place)) return;
    this.#identified.join(place);
    place.id = id;
    if (!this.#countsIds) return;
    if (this.#limits.duplicate_id === "replace") this.#evictHolders(id);
    if (!this.#ids.tryAdd(id, this.#idLimit)) throw exceeded(this.#idProblem);
    place.countedId = true;
    this.#hold(place, id);
  }

  release(place: Place): void {
    (place.id === undefined ? this.#silent : this.#identified).leave(place);
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

  /** Connections that an ID may have; 0 is no limit. */
  get #idLimit(): number {
    return this.#limits.duplicate_id === "allow" ? this.#limits.limits.connections_per_id : 1;
  }

  get #idProblem(): string {
    if (this.#limits.duplicate_id === "reject") return "this ID is connected already";
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

  #makeRoom(): void {
    const limit = this.#limits.limits.connections ?? DEFAULT_CONNECTIONS;
    if (limit === 0 || (this.held < limit && this.#silent.size < Math.ceil(limit / 2))) return;
    const oldest = this.#silent.first;
    if (!oldest) throw exceeded(`all ${limit} connections allowed are in use`);
    this.#evict(oldest, exceeded("evicted: no ID sent, and the connection limit is reached"));
  }

  #evictHolders(id: string): void {
    const replaced = new Refusal("REPLACED", "this ID has connected again");
    for (const older of [...this.#holders.get(id) ?? []]) this.#evict(older, replaced);
  }

  /** Gives the place back at once: the connection takes a moment to end. */
  #evict(place: Place, why: Refusal): void {
    this.release(place);
    place.evict(why);
  }

  /** Counts a connection that is open already where the limits now ask for it. */
  #count(place: Place): void {
    if (place.address !== undefined && this.#limits.limits.connections_per_ip > 0) {
      place.countedSubnet ??= this.#add(this.#subnets, subnetOf(place.address));
    }
    if (place.id === undefined || !this.#countsIds) return;
    if (!place.countedId) this.#add(this.#ids, place.id);
    place.countedId = true;
    this.#hold(place, place.id);
  }

  #add(counts: Counts, key: string): string {
    counts.tryAdd(key, 0);
    return key;
  }

  #hold(place: Place, id: string): void {
    if (this.#limits.duplicate_id !== "replace") return;
    const holders = this.#holders.get(id);
    if (holders) holders.add(place);
    else this.#holders.set(id, new Set([place]));
  }
}

function exceeded(message: string): Refusal {
  return new Refusal("LIMIT_EXCEEDED", message);
}
