/** Lists of networks (CIDR), and look-ups in them. */

import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = readonly [base: Address, bits: number];

/** A list of networks. */
export class AddressList {
  readonly #networks: readonly { readonly text: string; readonly network: Network }[];

  /** @param cidrs Valid entries: `10.0.0.0/8`, `2001:db8::/32`, or one address. */
  constructor(cidrs: readonly string[]) {
    this.#networks = cidrs.map((text) => ({ text, network: networkOf(text) }));
  }

  /** The first entry that contains `address`, as written. IPv4-mapped IPv6 counts as IPv4 in both. */
  find(address: string): string | undefined {
    const parsed = ipaddr.process(address);
    return this.#networks.find(({ network }) => holds(network, parsed))?.text;
  }
}

function holds([base, bits]: Network, address: Address): boolean {
  // the library refuses to compare addresses of different families
  return base.kind() === address.kind() && address.match(base, bits);
}

/** Converts a network within the IPv4-mapped block to IPv4. */
function networkOf(text: string): Network {
  const [base, bits] = text.includes("/") ? ipaddr.parseCIDR(text) : single(ipaddr.parse(text));
  const mapped = base instanceof ipaddr.IPv6 && base.isIPv4MappedAddress() && bits >= 96;
  return mapped ? [base.toIPv4Address(), bits - 96] : [base, bits];
}

function single(address: Address): Network {
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

/** The key of an address for limits: the IPv4 address, or the IPv6 /64, since a client can use any address within it. */
export function subnetOf(address: string): string {
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  return `${parsed.parts.slice(0, 4).map((part) => part.toString(16)).join(":")}::/64`;
}
