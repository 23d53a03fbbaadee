import { Deadlines } from "../../lib/util/deadlines.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";

const never = () => new Promise<never>(() => {});
const late = () => new Error("too late");

/** Deadlines that are closed at the end of a test. */
function deadlinesOf(duration: number) {
  const deadlines = new Deadlines(duration);
  return { deadlines, [Symbol.dispose]: () => deadlines.close() };
}

Deno.test("work that settles in time passes its result on, and leaves no deadline running", async () => {
  using test = deadlinesOf(60_000);
  assertEquals(await test.deadlines.guard(Promise.resolve(1), late), 1);
  await assertRejects(() => test.deadlines.guard(Promise.reject(new Error("mine")), late), Error, "mine");
  assertEquals(test.deadlines.size, 0);
});

Deno.test("work that is late is discarded", async () => {
  using test = deadlinesOf(10);
  const work = Promise.withResolvers<string>();
  const discarded: string[] = [];
  await assertRejects(
    () => test.deadlines.guard(work.promise, late, (value) => void discarded.push(value)),
    Error,
    "too late",
  );
  work.resolve("late");
  await work.promise;
  await Promise.resolve();
  assertEquals([discarded, test.deadlines.size], [["late"], 0]);
});

Deno.test("several attempts share one deadline: the time of one is subtracted from the next", async () => {
  using test = deadlinesOf(300);
  const started = performance.now();
  using deadline = test.deadlines.start();
  await assertRejects(() => deadline.within(100).guard(never(), late), Error, "too late");
  assert(!deadline.expired && deadline.left <= 210, `${deadline.left} ms are left`);
  await assertRejects(() => deadline.guard(never(), late), Error, "too late");
  assert(deadline.expired && deadline.left === 0);
  assert(performance.now() - started >= 299, "it ends when its time is over, not before");
  await assertRejects(() => deadline.guard(never(), late), Error, "too late");
});

Deno.test("a share never exceeds its deadline", async () => {
  using test = deadlinesOf(50);
  using deadline = test.deadlines.start();
  const share = deadline.within(60_000);
  assertEquals(share.duration, 50);
  await assertRejects(() => share.guard(never(), late), Error, "too late");
});

Deno.test("a share whose work succeeds leaves no timer, and the deadline running", async () => {
  using test = deadlinesOf(60_000);
  using deadline = test.deadlines.start();
  assertEquals(await deadline.within(1000).guard(Promise.resolve(1), late), 1);
  assertEquals([deadline.expired, test.deadlines.size], [false, 1]);
});

Deno.test("expireAll fails all pending work", async () => {
  using test = deadlinesOf(60_000);
  const waiting = [test.deadlines.guard(never(), late), test.deadlines.start().guard(never(), late)];
  test.deadlines.expireAll();
  for (const each of waiting) await assertRejects(() => each, Error, "too late");
  assertEquals(test.deadlines.size, 0);
});
