import { mask } from "../../../lib/transport/websocket/masking.ts";
import { assertEquals } from "../../assert.ts";
import { noise } from "../../bytes.ts";

Deno.test("5.3: masking in parts, each with the rotated key, equals masking at once", () => {
  const whole = noise(1000);
  const parts = noise(1000);
  mask(whole, 0x89abcdef);
  let key = 0x89abcdef | 0;
  for (let at = 0; at < 1000; at += 77) key = mask(parts.subarray(at, at + 77), key);
  assertEquals([...parts], [...whole]);
});
