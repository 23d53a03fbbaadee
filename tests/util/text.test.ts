import { nearest } from "../../lib/util/text.ts";
import { assertEquals } from "../assert.ts";

const FIELDS = ["listeners", "routes", "timeouts", "default"];

for (
  const [name, expected] of [
    ["routs", "routes"],
    ["ruotes", "routes"],
    ["routse", "routes"],
    ["TIMEOUTS", "timeouts"],
    ["listner", "listeners"],
    ["pools", undefined],
    ["", undefined],
  ] as const
) {
  Deno.test(`the field nearest to ${JSON.stringify(name)} is ${expected}`, () => {
    assertEquals(nearest(name, FIELDS), expected);
  });
}

Deno.test("of words that are equally near the first is taken", () => {
  assertEquals(nearest("eu-3", ["eu-1", "eu-2"]), "eu-1");
});

Deno.test("where there are no words, none is near", () => {
  assertEquals(nearest("routes", []), undefined);
});

Deno.test("words of more than 32 letters and letters beyond the basic plane are compared too", () => {
  const long = "a".repeat(100);
  assertEquals(nearest(`${long}b`, [long]), long);
  assertEquals(nearest("😀x", ["😀y"]), "😀y");
});
