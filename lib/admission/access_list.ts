/** Which addresses may connect: allow and deny lists of CIDRs. Immutable, and swapped as a whole. */

import { AddressList } from "../util/cidr.ts";

/** The decision on an address. */
export interface Verdict {
  readonly allowed: boolean;
  /** The entry that decided, such as `deny 10.0.0.0/8`, or why no entry did. */
  readonly because: string;
}

/** Both lists: a denied address is refused even if allowed; with an allow list, every address not in it is, too. */
export class AccessList {
  readonly #allow: AddressList | undefined;
  readonly #deny: AddressList;

  constructor({ allow, deny }: { allow?: readonly string[] | undefined; deny: readonly string[] }) {
    this.#allow = allow && new AddressList(allow);
    this.#deny = new AddressList(deny);
  }

  /** @param address IPv4 or IPv6, without brackets. */
  verdict(address: string): Verdict {
    const denied = this.#deny.find(address);
    if (denied !== undefined) return { allowed: false, because: `deny ${denied}` };
    if (!this.#allow) return { allowed: true, because: "no entry denies it" };
    const allowed = this.#allow.find(address);
    if (allowed === undefined) return { allowed: false, because: "no entry of allow contains it" };
    return { allowed: true, because: `allow ${allowed}` };
  }
}
