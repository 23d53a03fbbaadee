import { SerialQueue } from "../../lib/workers/queue.ts";
import { assertEquals, assertRejects } from "../assert.ts";

Deno.test("work is done in sequence, also after a failure", async () => {
  const queue = new SerialQueue();
  const done: string[] = [];
  const first = Promise.withResolvers<void>();
  const results = [
    queue.add(async () => {
      await first.promise;
      done.push("first");
    }),
    queue.add(() => Promise.reject(new Error("second"))),
    queue.add(() => Promise.resolve(done.push("third"))),
  ];
  await Promise.resolve();
  assertEquals(done, []);
  first.resolve();
  await results[0];
  await assertRejects(() => results[1] ?? Promise.resolve(), Error, "second");
  assertEquals(await results[2], 2);
});
