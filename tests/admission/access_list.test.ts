import { AccessList } from "../../lib/admission/access_list.ts";
import { encodeId } from "../../lib/frame/tlv.ts";
import { assertEquals } from "../assert.ts";
import { receiveAll, send } from "../bytes.ts";
import { refusalCode } from "../clients.ts";
import { configTo, startBalancer, startEchoing } from "../fixture.ts";

Deno.test("without lists everyone is allowed", () => {
  assertEquals(new AccessList({ deny: [] }).verdict("192.0.2.7").allowed, true);
});

Deno.test("deny takes precedence over allow, and names the entry", () => {
  const lists = new AccessList({ allow: ["10.0.0.0/8"], deny: ["192.0.2.0/24", "10.1.0.0/16"] });
  assertEquals(lists.verdict("10.1.2.3"), { allowed: false, because: "deny 10.1.0.0/16" });
  assertEquals(lists.verdict("10.2.2.3"), { allowed: true, because: "allow 10.0.0.0/8" });
});

Deno.test("with an allow list all others are denied", () => {
  const lists = new AccessList({ allow: ["10.0.0.0/8"], deny: [] });
  assertEquals(lists.verdict("192.0.2.7"), { allowed: false, because: "no entry of allow contains it" });
});

Deno.test("a denied client gets FORBIDDEN before it has sent a byte", async () => {
  await using balancer = startBalancer(configTo(9, { deny: ["127.0.0.0/8"], timeouts: { id: 20_000 } }));
  using client = await balancer.connect();
  assertEquals(refusalCode(await receiveAll(client)), 8);
});

Deno.test("an allowed client is served", async () => {
  await using balancer = startEchoing({ allow: ["127.0.0.0/8"] });
  using client = await balancer.connect();
  await send(client, encodeId("1"));
  await client.closeWrite();
  assertEquals(await receiveAll(client), encodeId("1"));
});

Deno.test("an IPv4 client of an IPv6 listener is checked as IPv4", async () => {
  const listeners = [{ address: { host: "::", port: 0 } }];
  await using balancer = startBalancer(configTo(9, { listeners, deny: ["127.0.0.1"] }));
  using client = await balancer.connect();
  assertEquals(refusalCode(await receiveAll(client)), 8);
});
