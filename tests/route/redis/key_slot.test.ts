import { keySlot } from "../../../lib/route/redis/key_slot.ts";
import { assertEquals } from "../../assert.ts";

// by CLUSTER KEYSLOT of Redis 7.0
for (
  const [key, slot] of [
    ["switchyard:routes", 7132],
    ["123456789", 12_739],
    ["{user1000}.following", 3443],
    ["foo{}{bar}", 8363],
    ["foo{{bar}}zap", 4015],
    ["foo{bar}{zap}", 5061],
    ["ü", 9552],
  ] as const
) {
  Deno.test(`the key ${key} is in slot ${slot}`, () => assertEquals(keySlot(key), slot));
}
