/** Networks (CIDR), and looking an address up in them. */

import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = readonly [base: Address, bits: number];

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

/** What counts as one address for limits: an IPv4 address, or the /64 within which an IPv6 client can choose its own. */
export function subnetOf(address: string): string {
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  return `${parsed.parts.slice(0, 4).map((part) => part.toString(16)).join(":")}::/64`;
}
