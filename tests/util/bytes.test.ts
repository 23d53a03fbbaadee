import { concat } from "../../lib/util/bytes.ts";
import { assertEquals } from "../assert.ts";

Deno.test("parts are joined in order, into an array of their own", () => {
  const part = Uint8Array.of(1, 2);
  const joined = concat([part, new Uint8Array(), Uint8Array.of(3)]);
  part[0] = 9;
  assertEquals([...joined], [1, 2, 3]);
  assertEquals(concat([]).length, 0);
});
