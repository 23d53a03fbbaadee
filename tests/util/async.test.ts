import { sleep, soonOr, spread, TimeSlice } from "../../lib/util/async.ts";
import { assert, assertEquals, assertGreaterOrEqual, assertRejects } from "../assert.ts";

Deno.test("sleep lasts no less than it should, and ends when its signal is aborted", async () => {
  const begun = performance.now();
  await sleep(20);
  assertGreaterOrEqual(performance.now() - begun, 19);
  const aborted = new AbortController();
  const sleeping = sleep(3_600_000, aborted.signal);
  aborted.abort();
  await sleeping;
  await sleep(3_600_000, aborted.signal);
});

Deno.test("spread calls for each item in order, the last at the end of the time", async () => {
  const called: number[] = [];
  const times: number[] = [];
  const begun = performance.now();
  await spread([1, 2, 3, 4], 80, (item) => {
    called.push(item);
    times.push(performance.now() - begun);
  });
  assertEquals(called, [1, 2, 3, 4]);
  assert(times.every((at, index) => at >= 20 * (index + 1) - 1), `${times}`);
});

Deno.test("spread without time calls at once, and not at all once its signal is aborted", async () => {
  const called: number[] = [];
  await spread([1, 2], 0, (item) => void called.push(item));
  await spread([3], 0, (item) => void called.push(item), AbortSignal.abort());
  assertEquals(called, [1, 2]);
});

Deno.test("a time slice is over some time after it began, and a rest starts a new one", async () => {
  const slice = new TimeSlice();
  const begun = performance.now();
  while (!slice.over);
  assertGreaterOrEqual(performance.now() - begun, 1);
  let others = false;
  setTimeout(() => others = true, 0);
  await slice.rest();
  assert(others, "other work has run meanwhile");
});

Deno.test("work that takes too long is given up, and may fail later", async () => {
  assertEquals(await soonOr(Promise.resolve("in time"), 60_000, () => "late"), "in time");
  const work = Promise.withResolvers<string>();
  assertEquals(await soonOr(work.promise, 1, () => "late"), "late");
  work.reject(new Error("nobody waits for it"));
  await assertRejects(() => soonOr(work.promise, 60_000, () => "late"), Error, "nobody waits for it");
});
