/** Which addresses may connect: allow and deny lists of CIDRs. Immutable, and swapped whole. */

import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = readonly [base: Address, bits: number];

/** What the lists say to an address. */
export interface Verdict {
  readonly allowed: boolean;
  /** The entry that decided, such as `deny 10.0.0.0/8`, or why none did. */
  readonly because: string;
}

/** Networks that an address is looked up in. */
export class AddressList {
  readonly #networks: readonly { readonly text: string; readonly network: Network }[];

  /** @param cidrs Checked before: `10.0.0.0/8`, `2001:db8::/32`, or one address. */
  constructor(cidrs: readonly string[]) {
    this.#networks = cidrs.map((text) => ({ text, network: networkOf(text) }));
  }

  /** The first entry that holds `address`, as it was written; IPv4-mapped IPv6 is IPv4, in both. */
  find(address: string): string | undefined {
    const parsed = ipaddr.process(address);
    return this.#networks.find(({ network }) => holds(network, parsed))?.text;
  }
}

/** Both lists: what is denied stays out, whatever is allowed; with an allow list all others stay out too. */
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
    if (allowed === undefined) return { allowed: false, because: "no entry of allow holds it" };
    return { allowed: true, because: `allow ${allowed}` };
  }
}

function holds([base, bits]: Network, address: Address): boolean {
  // addresses of two kinds have nothing in common, and the library refuses to compare them
  return base.kind() === address.kind() && address.match(base, bits);
}

/** What lies within the IPv4-mapped block is a network of IPv4. */
function networkOf(text: string): Network {
  const [base, bits] = text.includes("/") ? ipaddr.parseCIDR(text) : single(ipaddr.parse(text));
  const mapped = base instanceof ipaddr.IPv6 && base.isIPv4MappedAddress() && bits >= 96;
  return mapped ? [base.toIPv4Address(), bits - 96] : [base, bits];
}

function single(address: Address): Network {
  return [address, address.kind() === "ipv4" ? 32 : 128];
}
