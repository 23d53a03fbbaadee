import { HealthChecker } from "../../lib/upstream/health_checker.ts";
import { assert, assertEquals } from "../assert.ts";
import { pause, until } from "../wait.ts";

Deno.test("a server is checked at intervals, and each result is reported", async () => {
  const results: (string | undefined)[] = [];
  let checks = 0;
  using _checker = new HealthChecker(
    () => ++checks % 2 === 0 ? Promise.reject(new Error("refused")) : Promise.resolve(),
    { interval: 10, report: (error) => results.push(error?.message) },
  );
  await until(() => results.length >= 4, "four checks");
  assertEquals(results.slice(0, 4), [undefined, "refused", undefined, "refused"]);
});

Deno.test("a check that takes longer than the interval delays the next", async () => {
  let [running, most, done] = [0, 0, 0];
  using checker = new HealthChecker(async () => {
    most = Math.max(most, ++running);
    await pause(30);
    running -= 1;
  }, { interval: 5, report: () => void done++ });
  await until(() => done >= 3, "three checks");
  assertEquals(most, 1);
  // otherwise another would begin before the end of this one is noticed
  checker[Symbol.dispose]();
  await until(() => running === 0, "the last has ended");
});

Deno.test("the first check is within one interval, and each further one within an interval of the previous", async () => {
  const starts: number[] = [performance.now()];
  // the earliest and the latest that jitter allows
  const random = () => starts.length % 2 === 0 ? 0.999 : 0;
  using _checker = new HealthChecker(() => {
    starts.push(performance.now());
    return Promise.resolve();
  }, { interval: 50, report: () => {}, random });
  await until(() => starts.length >= 5, "four checks");
  const gaps = starts.slice(2).map((at, index) => at - (starts[index + 1] ?? 0));
  assert(gaps.every((gap) => gap >= 39), `${gaps}: no check comes more than a fifth early`);
});

Deno.test("after disposal it starts no check, and a check under way is not reported", async () => {
  const check = Promise.withResolvers<void>();
  let [checks, reports] = [0, 0];
  const checker = new HealthChecker(() => {
    checks += 1;
    return check.promise;
  }, { interval: 5, report: () => void reports++ });
  await until(() => checks === 1, "the first check");
  checker[Symbol.dispose]();
  check.reject(new Error("too late"));
  await pause(30);
  assertEquals([checks, reports], [1, 0]);
});
