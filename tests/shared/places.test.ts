import { assert, assertEquals } from "../assert.ts";
import { openThreads } from "./fixture.ts";

Deno.test("silent clients have half of all places at most, and a newcomer gets that of this thread's oldest", () => {
  const { one: { places } } = openThreads(2);
  assertEquals([places.take(4), places.take(4), places.take(4)], ["free", "free", "evict"]);
  assert(places.identify());
  assertEquals(places.take(4), "free");
});

Deno.test("if clients with an ID have all places, there is none", () => {
  const { one, other } = openThreads(2);
  for (const { places } of [one, other]) {
    assertEquals(places.take(2), "free");
    assert(places.identify());
  }
  assertEquals([one.places.take(2), other.places.take(2)], ["full", "full"]);
  other.places.leave(false);
  assertEquals(one.places.take(2), "free");
});

Deno.test("without a limit there is always a place", () => {
  const { one: { places } } = openThreads(2);
  for (let count = 0; count < 100; count++) assertEquals(places.take(0), "free");
});

Deno.test("a thread without silent clients takes the places of another's, which is notified once", () => {
  const { one, other, evictions } = openThreads(2);
  for (let count = 0; count < 5; count++) assertEquals(one.places.take(10), "free");
  assertEquals([other.places.take(10), other.places.take(10)], ["free", "free"]);
  assertEquals(evictions, [[0, "silent"]]);
  assertEquals(one.places.settle(), 2);
  assertEquals(one.places.settle(), 0);
  // three and two
  assertEquals(one.places.take(10), "evict");
});

Deno.test("a client whose place another thread has taken cannot become one with an ID", () => {
  const { one, other } = openThreads(2);
  assertEquals(one.places.take(2), "free");
  assertEquals(other.places.take(2), "free");
  assertEquals(one.places.identify(), false);
  assertEquals(one.places.settle(), 1);
  assert(other.places.identify());
  assertEquals(one.places.take(2), "free");
});

Deno.test("a silent client that ends by itself replaces an eviction", () => {
  const { one, other } = openThreads(2);
  assertEquals(one.places.take(2), "free");
  assertEquals(other.places.take(2), "free");
  one.places.leave(true);
  assertEquals(one.places.settle(), 0);
  assert(other.places.identify());
});
