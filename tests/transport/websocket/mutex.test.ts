import { Mutex } from "../../../lib/transport/websocket/mutex.ts";
import { assert, assertEquals } from "../../assert.ts";

Deno.test("a held mutex is passed to the waiting callers in order", async () => {
  const mutex = new Mutex();
  const order: number[] = [];
  assert(mutex.tryTake());
  const turns = [1, 2, 3].map(async (turn) => {
    await mutex.take();
    order.push(turn);
    assert(mutex.held && !mutex.tryTake(), "nobody comes in between");
    mutex.release();
  });
  assertEquals(order, []);
  mutex.release();
  await Promise.all(turns);
  assertEquals([order, mutex.held], [[1, 2, 3], false]);
});

Deno.test("a free mutex is acquired at once", async () => {
  const mutex = new Mutex();
  await mutex.take();
  assert(!mutex.tryTake());
  mutex.release();
  assert(mutex.tryTake());
});
