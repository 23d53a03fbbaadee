import { durationText, nearest, plain } from "../../lib/util/text.ts";
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

Deno.test("of equally near words the first is chosen", () => {
  assertEquals(nearest("eu-3", ["eu-1", "eu-2"]), "eu-1");
});

Deno.test("without words none is near", () => {
  assertEquals(nearest("routes", []), undefined);
});

Deno.test("words of more than 32 letters and letters outside of the basic plane are compared too", () => {
  const long = "a".repeat(100);
  assertEquals(nearest(`${long}b`, [long]), long);
  assertEquals(nearest("😀x", ["😀y"]), "😀y");
});

Deno.test("only invisible characters and those that move the cursor are escaped, as in JSON", () => {
  assertEquals(plain("a\n\u001b[31m\u0085\u2028"), "a\\u000a\\u001b[31m\\u0085\\u2028");
  assertEquals(plain("\u202eb\u200d\u061c"), "\\u202eb\\u200d\\u061c");
  assertEquals(plain("\u{e0001}"), "\\udb40\\udc01", "a pair of surrogates is two escapes");
  assertEquals(plain('"é 😀\\'), '"é 😀\\');
});

Deno.test("JSON that is escaped keeps its value", () => {
  const value = { "a\u202e": "\u0000\u007f\u009b\u2029\ufeff\u{e0001}😀" };
  assertEquals(JSON.parse(plain(JSON.stringify(value))), value);
});

Deno.test("a duration is written in the notation of the configuration", () => {
  const milliseconds = [0, 1, 250, 999, 1000, 1500, 5000, 60_000, 90_000, 300_000, 3_600_000, 5_400_000];
  assertEquals(milliseconds.map(durationText), [
    ..."0s,1ms,250ms,999ms,1s,1.5s,5s,1m,90s,5m,1h,90m".split(","),
  ]);
});
