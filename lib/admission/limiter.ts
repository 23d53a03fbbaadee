/** Who gets in: decided by address, by what is open already and by how fast it came. */

import ipaddr from "ipaddr.js";
import type { Config } from "../config/config.ts";
import type { Deadlines } from "../util/deadlines.ts";
import { Refusal } from "../errors.ts";
import { AccessList } from "./access_list.ts";
import type { Holder, Occupancy } from "./counts.ts";

/** What one configuration says of who gets in. Immutable, and swapped whole; the counts are handed on. */
export class Admission<T extends Holder = Holder> {
  readonly #access: AccessList | undefined;
  readonly #limits: Config["limits"];
  readonly #duplicate: Config["duplicate_id"];
  readonly #occupancy: Occupancy<T>;
  readonly #silent: Pick<Deadlines, "size" | "expireFirst">;

  /** @param silent The waits of all clients that have not said their ID yet. */
  constructor(
    config: Pick<Config, "allow" | "deny" | "limits" | "duplicate_id">,
    occupancy: Occupancy<T>,
    silent: Pick<Deadlines, "size" | "expireFirst">,
  ) {
    const { allow, deny } = config;
    if (allow || deny.length > 0) this.#access = new AccessList({ allow, deny });
    this.#limits = config.limits;
    this.#duplicate = config.duplicate_id;
    this.#occupancy = occupancy;
    this.#silent = silent;
  }

  /**
   * Lets a client at `address` in, if its place is not among those that are taken.
   *
   * @throws {Refusal} FORBIDDEN where the lists keep it out, LIMIT_EXCEEDED
   */
  admit(holder: T, address: string): void {
    this.#checkLists(address);
    if (this.#limits.connection_rate_per_ip > 0 || this.#limits.connections_per_ip > 0) {
      this.#checkAddress(holder, site(address));
    }
  }

  /**
   * Gives a connection that is silent as yet a place among all. Where every place is taken, or half of them by silent
   * ones, the one that has been silent longest is turned away for it: so silent clients, however many, keep nobody out
   * who says an ID soon.
   *
   * @throws {Refusal} LIMIT_EXCEEDED where every place is taken by a client that has said its ID
   */
  seat(holder: T): void {
    const most = this.#limits.connections;
    if (most > 0 && (this.#occupancy.total >= most || this.#silent.size >= Math.ceil(most / 2))) {
      this.#makeRoom(most);
    }
    this.#occupancy.take(holder);
  }

  /**
   * Counts a connection for the ID that its client has said.
   *
   * @returns The older connections of the ID, which must give way to it; they no longer count.
   * @throws {Refusal} LIMIT_EXCEEDED
   */
  claim(holder: T, id: string): readonly T[] {
    if (!this.#countsIds) return NOBODY;
    const most = this.#limits.connections_per_id;
    const others = this.#occupancy.ofId(id);
    if (this.#duplicate === "replace") return this.#replace(holder, id, [...others]);
    if (this.#duplicate === "reject" && others.size > 0) throw exceeded("this ID is connected already");
    if (most > 0 && others.size >= most) throw exceeded("too many connections of this ID");
    this.#occupancy.takeId(holder, id);
    return NOBODY;
  }

  /** Counts a connection that is open already for its address and its ID, where nothing before asked for that. */
  adopt(holder: T, address: string, id: string): void {
    if (!holder.counted) return;
    if (this.#limits.connections_per_ip > 0 && holder.countedAddress === undefined) {
      this.#occupancy.takeAddress(holder, site(address));
    }
    if (this.#countsIds && holder.countedId === undefined) this.#occupancy.takeId(holder, id);
  }

  /** Gives back all that `holder` holds. May be called again. */
  release(holder: T): void {
    this.#occupancy.release(holder);
  }

  get #countsIds(): boolean {
    return this.#duplicate !== "allow" || this.#limits.connections_per_id > 0;
  }

  #checkLists(address: string): void {
    const verdict = this.#access?.verdict(address);
    if (!verdict || verdict.allowed) return;
    throw new Refusal("FORBIDDEN", `connections from ${address} are not allowed`, { cause: verdict.because });
  }

  #checkAddress(holder: T, site: string): void {
    const { connection_rate_per_ip: rate, connections_per_ip: most } = this.#limits;
    if (rate > 0 && !this.#occupancy.rates.take(site, rate)) {
      throw exceeded(`more than ${rate} connections a second from ${site}`);
    }
    if (most === 0) return;
    if (this.#occupancy.ofAddress(site) >= most) throw exceeded(`more than ${most} connections from ${site}`);
    this.#occupancy.takeAddress(holder, site);
  }

  #makeRoom(most: number): void {
    const made = this.#silent.expireFirst(() => exceeded("silent for too long while many others want in"));
    if (!made) throw exceeded(`all ${most} places are taken`);
  }

  #replace(holder: T, id: string, older: readonly T[]): readonly T[] {
    for (const other of older) this.#occupancy.release(other);
    this.#occupancy.takeId(holder, id);
    return older;
  }
}

const NOBODY: readonly never[] = [];

function exceeded(message: string): Refusal {
  return new Refusal("LIMIT_EXCEEDED", message);
}

/** What counts as one address: one of IPv4, but 64 bits of IPv6, within which a client can choose as it likes. */
function site(address: string): string {
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  return `${parsed.parts.slice(0, 4).map((part) => part.toString(16)).join(":")}::/64`;
}
