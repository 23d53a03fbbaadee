import { LocalPlaces } from "../../lib/admission/places.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("silent clients have half of all places, clients with an ID can have all", () => {
  const places = new LocalPlaces();
  assertEquals([places.take(4), places.take(4), places.take(4)], ["free", "free", "evict"]);
  for (let silent = 0; silent < 2; silent++) assert(places.identify());
  assertEquals([places.take(4), places.take(4), places.take(4)], ["free", "free", "evict"]);
  for (let silent = 0; silent < 2; silent++) assert(places.identify());
  assertEquals(places.take(4), "full");
  places.leave(false);
  assertEquals(places.take(4), "free");
  places.leave(true);
  assertEquals([places.take(4), places.settle()], ["free", 0]);
});
