import { AddressList, subnetOf } from "../../lib/util/cidr.ts";
import { assertEquals } from "../assert.ts";

const inside: readonly [network: string, address: string][] = [
  ["10.0.0.0/8", "10.255.0.1"],
  ["10.1.2.3/8", "10.9.9.9"],
  ["192.0.2.7", "192.0.2.7"],
  ["0.0.0.0/0", "203.0.113.9"],
  ["10.0.0.0/8", "::ffff:10.1.2.3"],
  ["::ffff:10.0.0.0/104", "10.1.2.3"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8::/32", "2001:db8:1::1"],
  ["::1", "::1"],
  ["fe80::/10", "fe80::1%2"],
  ["::/0", "2001:db8::1"],
];
const outside: readonly [network: string, address: string][] = [
  ["10.0.0.0/8", "11.0.0.1"],
  ["192.0.2.7", "192.0.2.8"],
  ["0.0.0.0/0", "2001:db8::1"],
  ["::/0", "10.0.0.1"],
  ["2001:db8::/32", "2001:db9::1"],
  ["192.0.2.0/25", "192.0.2.128"],
];

for (const [network, address] of inside) {
  Deno.test(`${network} holds ${address}`, () => {
    assertEquals(new AddressList([network]).find(address), network);
  });
}

for (const [network, address] of outside) {
  Deno.test(`${network} does not hold ${address}`, () => {
    assertEquals(new AddressList([network]).find(address), undefined);
  });
}

Deno.test("the first entry that contains an address is returned as it was written", () => {
  const list = new AddressList(["192.0.2.0/24", "10.1.2.3/8", "10.0.0.0/8"]);
  assertEquals(list.find("10.9.9.9"), "10.1.2.3/8");
  assertEquals(new AddressList([]).find("10.9.9.9"), undefined);
});

const subnets: readonly [address: string, subnet: string][] = [
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"],
  ["2001:db8:0:1:ffff::", "2001:db8:0:1::/64"],
  ["::1", "0:0:0:0::/64"],
];

for (const [address, subnet] of subnets) {
  Deno.test(`${address} counts as ${subnet} under limits`, () => {
    assertEquals(subnetOf(address), subnet);
  });
}
