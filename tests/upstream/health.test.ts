import * as fc from "fast-check";
import { FIRST_SHARE, Health, type HealthSettings, LONGEST_ABSENCE_MS } from "../../lib/upstream/health.ts";
import { assert, assertEquals } from "../assert.ts";

const SETTINGS: HealthSettings = { fall: 3, rise: 2, maxFails: 3, failDuration: 10_000, slowStart: 0 };

/** A server's health on a clock that the test sets. */
function healthWith(changes: Partial<HealthSettings> = {}) {
  const clock = { now: 1_000_000 };
  const health = new Health({ ...SETTINGS, ...changes }, () => clock.now);
  return {
    clock,
    health,
    check: (...results: boolean[]) => results.forEach((passed) => health.checked(passed)),
    fail: (times: number) => Array.from({ length: times }, () => health.dialed(false)),
  };
}

Deno.test("a server is up until `fall` checks in a row have failed", () => {
  const { health, check } = healthWith();
  check(false, false, true, false, false);
  assertEquals(health.state, "up");
  check(false);
  assertEquals(health.state, "down");
});

Deno.test("a server is down until `rise` checks in a row have passed", () => {
  const { health, check } = healthWith();
  check(false, false, false, true, false, true);
  assertEquals(health.state, "down");
  check(true);
  assertEquals(health.state, "up");
});

Deno.test("for any results of checks, the state follows the last streak that was long enough", () => {
  const settings = fc.record({ fall: fc.integer({ min: 1, max: 5 }), rise: fc.integer({ min: 1, max: 5 }) });
  fc.assert(fc.property(settings, fc.array(fc.boolean(), { maxLength: 60 }), ({ fall, rise }, results) => {
    const { health, check } = healthWith({ fall, rise });
    let expected = "up";
    for (let at = 0; at < results.length; at++) {
      check(results[at] === true);
      const last = (count: number) => results.slice(Math.max(0, at + 1 - count), at + 1);
      if (at + 1 >= fall && last(fall).every((passed) => !passed)) expected = "down";
      if (at + 1 >= rise && last(rise).every((passed) => passed)) expected = "up";
      assertEquals(health.state, expected);
    }
  }));
});

Deno.test("`maxFails` failed dials within `failDuration` eject a server for that long", () => {
  const { health, clock, fail } = healthWith();
  fail(2);
  clock.now += 10_000;
  fail(2);
  assertEquals(health.state, "up", "the first two are too long ago");
  fail(1);
  assertEquals(health.state, "ejected");
  clock.now += 9999;
  assertEquals(health.state, "ejected");
  clock.now += 1;
  assertEquals(health.state, "up");
});

Deno.test("a server that fails again right after its return is ejected for twice as long, up to a limit", () => {
  const { health, clock, fail } = healthWith();
  fail(3);
  for (const absence of [10_000, 20_000, 40_000, 80_000, 160_000, LONGEST_ABSENCE_MS, LONGEST_ABSENCE_MS]) {
    clock.now += absence - 1;
    assertEquals(health.state, "ejected");
    clock.now += 1;
    assertEquals(health.state, "up");
    fail(1);
    assertEquals(health.state, "ejected", "one failure is enough right after the return");
  }
});

Deno.test("a server that works for as long as it was ejected starts from the first duration again", () => {
  const { health, clock, fail } = healthWith();
  fail(3);
  clock.now += 10_000;
  fail(1); // for 20 s
  clock.now += 20_000;
  health.dialed(true);
  clock.now += 20_000;
  fail(2);
  assertEquals(health.state, "up", "a dial has succeeded, so it takes `maxFails` again");
  fail(1);
  clock.now += 10_000;
  assertEquals(health.state, "up", "and the first absence is short again");
});

Deno.test("passed checks end an ejection early, but the next one still lasts longer", () => {
  const { health, clock, check, fail } = healthWith();
  check(true, true, true);
  fail(3);
  assertEquals(health.state, "ejected", "checks before it do not count");
  check(true, true);
  assertEquals(health.state, "up");
  fail(1);
  assertEquals(health.state, "ejected");
  clock.now += 19_999;
  assertEquals(health.state, "ejected");
});

Deno.test("with maxFails: 0 failed dials eject no server", () => {
  const { health, fail } = healthWith({ maxFails: 0 });
  fail(1000);
  assertEquals(health.state, "up");
});

Deno.test("a recovered server gets its share gradually; one that was never down has its full share", () => {
  for (const way of ["checks", "ejection"]) {
    const { health, clock, check, fail } = healthWith({ slowStart: 10_000 });
    assertEquals(health.share, 1);
    if (way === "checks") check(false, false, false, true, true);
    else fail(3);
    if (way === "ejection") clock.now += 10_000;
    assertEquals([health.state, health.share], ["up", FIRST_SHARE]);
    let last = 0;
    for (let step = 0; step < 10; step++) {
      assert(health.share >= last);
      last = health.share;
      clock.now += 1000;
      if (step === 4) assertEquals(health.share, 0.5);
    }
    assertEquals(health.share, 1);
  }
});

Deno.test("changed limits apply from then on, and the state is kept", () => {
  const { health, check } = healthWith();
  check(false, false, false);
  health.configure({ ...SETTINGS, rise: 1 });
  assertEquals(health.state, "down");
  check(true);
  assertEquals(health.state, "up");
});
