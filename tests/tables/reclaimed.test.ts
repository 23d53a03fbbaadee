import { Reclaimed } from "../../lib/tables/reclaimed.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("shared memory that a thread no longer uses is freed", async () => {
  const reclaimed = new Reclaimed();
  assert(await reclaimed.all());
  const used = new SharedArrayBuffer(8);
  for (let count = 0; count < 3; count++) reclaimed.await(new SharedArrayBuffer(1 << 20));
  assert(await reclaimed.all());
  reclaimed.await(used);
  assertEquals(await reclaimed.all(), false);
  assertEquals(used.byteLength, 8);
});
