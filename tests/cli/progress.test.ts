import { progressBar } from "../../lib/cli/progress.ts";
import { assert, assertEquals } from "../assert.ts";

function draw(label: string, total: number, steps: readonly number[], unit?: string): string {
  let drawn = "";
  const io = { out: () => {}, err: () => {}, stderrIsTerminal: true };
  const options = { write: (text: string) => void (drawn += text), ...(unit ? { unit } : {}) };
  const bar = progressBar(io, label, total, options);
  for (const step of steps) bar.draw(step);
  bar.end();
  return drawn;
}

/** The text on the last line of a terminal. */
function left(drawn: string): string {
  return (drawn.trimEnd().split("\r").at(-1) ?? "").replace("\x1b[K", "");
}

Deno.test("a bar shows the first step and the last, and not all between", () => {
  const drawn = draw("client 1", 1000, Array.from({ length: 1001 }, (_, step) => step));
  assertEquals(left(drawn), `client 1 [${"#".repeat(30)}] 1000/1000`);
  assert(drawn.startsWith(`\rclient 1 [${".".repeat(30)}] 0/1000`));
  assert(drawn.split("\r").length < 50, drawn);
});

Deno.test("a bar that is interrupted ends its line, so that the error begins on a new one", () => {
  const drawn = draw("client 1", 10, [3]);
  assertEquals(left(drawn), `client 1 [${"#".repeat(9).padEnd(30, ".")}] 3/10`);
  assert(drawn.endsWith("\n"));
});

Deno.test("a bar of seconds shows tenths and stops at its end", () => {
  assertEquals(left(draw("bench", 5, [5.04], "s")), `bench [${"#".repeat(30)}] 5.0/5.0 s`);
});

Deno.test("a bar with a long label fits 80 columns", () => {
  assert(left(draw(`client ${"x".repeat(255)}`, 2 ** 32 - 1, [2 ** 32 - 1])).length < 80);
});

Deno.test("a bar of nothing is full, and one that was never drawn writes nothing", () => {
  assertEquals(left(draw("client 1", 0, [0])), `client 1 [${"#".repeat(30)}] 0/0`);
  assertEquals(draw("client 1", 10, []), "");
});
