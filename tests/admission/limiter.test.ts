import { type AdmissionCounts, Limiter } from "../../lib/admission/limiter.ts";
import { Refusal } from "../../lib/errors.ts";
import { assertEquals, assertThrows } from "../assert.ts";
import { type Changes, configTo } from "../fixture.ts";
import { openThreads } from "../shared/fixture.ts";

/** A limiter, and the clients that it evicted. */
function limiterOf(changes: Changes, counts?: AdmissionCounts) {
  const limiter = new Limiter(configTo(9, changes), counts);
  const evicted: string[] = [];
  const reserve = (name: string, address = "192.0.2.7") =>
    limiter.reserve((why) => evicted.push(`${name} ${why.reason}`), address);
  return { limiter, evicted, reserve };
}

/** A test over the counts of one thread, and over those that threads share. */
function overCounts(name: string, test: (start: typeof limiterOf) => void): void {
  Deno.test(name, () => test(limiterOf));
  Deno.test(`${name} (shared counts)`, () => test((changes) => limiterOf(changes, openThreads(2).one)));
}

overCounts("duplicate_id: replace counts one connection of an ID at every moment", (limiterOf) => {
  const { limiter, evicted, reserve } = limiterOf({ duplicate_id: "replace" });
  for (let index = 0; index < 5; index++) reserve(`${index}`).identified("1");
  assertEquals(evicted, [0, 1, 2, 3].map((index) => `${index} REPLACED`));
  assertEquals(limiter.held, 1);
});

overCounts("a permit gives back what it holds, once", (limiterOf) => {
  const { limiter, reserve } = limiterOf({ limits: { connections_per_ip: 1, connections_per_id: 1 } });
  const permit = reserve("a");
  permit.identified("1");
  assertThrows(() => reserve("b"), Refusal, "more than 1 connections from 192.0.2.7");
  permit[Symbol.dispose]();
  permit[Symbol.dispose]();
  assertEquals(limiter.held, 0);
  reserve("c").identified("1");
  assertThrows(() => reserve("d"), Refusal, "more than 1 connections from 192.0.2.7");
  assertThrows(() => reserve("e", "192.0.2.8").identified("1"), Refusal, "too many connections of this ID");
});

overCounts("a permit that was evicted counts for no address that becomes known too late", (limiterOf) => {
  const { limiter, evicted, reserve } = limiterOf({ limits: { connections: 1, connections_per_ip: 1 } });
  const behindProxy = limiter.reserve(() => evicted.push("proxied"));
  reserve("next", "192.0.2.8");
  assertEquals(evicted, ["proxied"]);
  behindProxy.from("192.0.2.9");
  behindProxy[Symbol.dispose]();
  limiter.configure(configTo(9, { limits: { connections: 0, connections_per_ip: 1 } }));
  reserve("last", "192.0.2.9");
});

overCounts("an address that is denied evicts nobody", (limiterOf) => {
  const { evicted, reserve } = limiterOf({ limits: { connections: 1 }, deny: ["192.0.2.66"] });
  reserve("silent");
  assertThrows(() => reserve("denied", "192.0.2.66"), Refusal, "connections from 192.0.2.66 are not allowed");
  assertEquals(evicted, []);
});

overCounts("limits that a reload brings count what is open already", (limiterOf) => {
  const { limiter, evicted, reserve } = limiterOf({});
  const permits = ["a", "b", "c"].map((name) => reserve(name));
  for (const permit of permits) permit.identified("1");
  limiter.configure(configTo(9, { duplicate_id: "reject", limits: { connections_per_ip: 3 } }));
  assertThrows(() => reserve("d"), Refusal, "more than 3 connections from 192.0.2.7");
  {
    using another = reserve("e", "192.0.2.8");
    assertThrows(() => another.identified("1"), Refusal, "this ID is already connected");
  }
  limiter.configure(configTo(9, { duplicate_id: "replace" }));
  reserve("f", "192.0.2.8").identified("1");
  assertEquals(evicted, ["a REPLACED", "b REPLACED", "c REPLACED"]);
  for (const permit of permits) permit[Symbol.dispose]();
  limiter.configure(configTo(9, { limits: { connections_per_ip: 3 } }));
  for (const name of ["g", "h", "i"]) reserve(name);
  assertThrows(() => reserve("j"), Refusal, "more than 3 connections");
});

/** The limiters of two threads. Requests of one to the other are delivered by `deliver`. */
function limitersOf(changes: Changes) {
  const { one, other, evictions } = openThreads(2);
  const limiters = [limiterOf(changes, one), limiterOf(changes, other)] as const;
  const deliver = () => {
    for (const [thread, eviction] of evictions.splice(0)) limiters[thread]?.limiter.evict(eviction);
  };
  return { limiters, deliver };
}

Deno.test("limits hold over all threads, and another thread can take a released place", () => {
  const { limiters: [one, other] } = limitersOf({
    limits: { connections: 4, connections_per_ip: 2, connections_per_id: 1 },
  });
  const permit = one.reserve("a");
  permit.identified("1");
  assertThrows(
    () => other.reserve("b", "192.0.2.8").identified("1"),
    Refusal,
    "too many connections of this ID",
  );
  other.reserve("c").identified("2");
  assertThrows(() => other.reserve("d"), Refusal, "more than 2 connections from 192.0.2.7");
  permit[Symbol.dispose]();
  other.reserve("e").identified("1");
  one.reserve("f", "192.0.2.9").identified("3");
  assertThrows(() => one.reserve("g", "192.0.2.10"), Refusal, "the limit of 4 connections is reached");
});

Deno.test("connection_rate_per_ip holds over all threads", () => {
  const { limiters: [one, other] } = limitersOf({ limits: { connection_rate_per_ip: 2 } });
  one.reserve("a");
  other.reserve("b");
  assertThrows(() => one.reserve("c"), Refusal, "more than 2 connections a second from 192.0.2.7");
});

Deno.test("duplicate_id: reject refuses the second connection of an ID in any thread", () => {
  const { limiters: [one, other] } = limitersOf({ duplicate_id: "reject" });
  const first = one.reserve("a");
  first.identified("1");
  assertThrows(() => other.reserve("b").identified("1"), Refusal, "this ID is already connected");
  first[Symbol.dispose]();
  other.reserve("c").identified("1");
});

Deno.test("duplicate_id: replace ends the older connection in another thread, and none of other IDs", () => {
  const { limiters: [one, other], deliver } = limitersOf({ duplicate_id: "replace" });
  one.reserve("a").identified("1");
  one.reserve("b").identified("2");
  other.reserve("c").identified("1");
  deliver();
  assertEquals([one.evicted, other.evicted], [["a REPLACED"], []]);
});

Deno.test("of connections of an ID in several threads the last one is kept, however late threads are notified", () => {
  const { limiters: [one, other], deliver } = limitersOf({ duplicate_id: "replace" });
  one.reserve("a").identified("1");
  other.reserve("b").identified("1");
  one.reserve("c").identified("1");
  other.reserve("d").identified("1");
  one.reserve("e").identified("1");
  deliver();
  assertEquals([one.evicted, other.evicted], [["a REPLACED", "c REPLACED"], ["b REPLACED", "d REPLACED"]]);
  assertEquals([one.limiter.held, other.limiter.held], [1, 0]);
});

Deno.test("a thread without silent clients evicts that of another thread which has been silent longest", () => {
  const { limiters: [one, other], deliver } = limitersOf({ limits: { connections: 4 } });
  one.reserve("a");
  one.reserve("b");
  other.reserve("c");
  deliver();
  assertEquals([one.evicted, other.evicted], [["a LIMIT_EXCEEDED"], []]);
  assertEquals([one.limiter.held, other.limiter.held], [1, 1]);
});

Deno.test("a client that sends its ID does not get a place that another thread has taken", () => {
  const { limiters: [one, other], deliver } = limitersOf({ limits: { connections: 2 } });
  const late = one.reserve("a");
  other.reserve("b").identified("1");
  other.reserve("c");
  other.reserve("d").identified("2");
  late.identified("3");
  assertEquals([one.evicted, one.limiter.held], [["a LIMIT_EXCEEDED"], 0]);
  deliver();
  assertThrows(() => one.reserve("e"), Refusal, "the limit of 2 connections is reached");
});

Deno.test("with shared counts nothing is left once every connection has ended", () => {
  const limits = { connections: 2, connections_per_ip: 2, connections_per_id: 2 };
  const { limiters, deliver } = limitersOf({ limits });
  for (let round = 0; round < 20; round++) {
    const permits = limiters.map(({ reserve }) => reserve("a"));
    deliver();
    permits[round % 2]?.identified("1");
    for (const permit of permits) permit[Symbol.dispose]();
  }
  for (const { reserve } of limiters) reserve("b").identified("1");
});
