import { acceptEach } from "../../lib/transport/accept_loop.ts";
import { assertEquals, assertGreater, assertLess, assertLessOrEqual } from "../assert.ts";

const FULL = new Error("Too many open files (os error 24)");
const RESET = new Deno.errors.ConnectionReset("connection reset by peer");
const CLOSED = new Deno.errors.BadResource("Bad resource ID");
const CONN = {} as Deno.TcpConn;

/** Runs the loop with these `outcomes`, one for each `accept`, until the listener is closed. */
async function run(outcomes: readonly unknown[]) {
  const left = [...outcomes, CLOSED];
  const accept = async () => {
    const outcome = await Promise.resolve(left.shift());
    if (outcome !== CONN) throw outcome;
    return CONN;
  };
  let accepted = 0;
  const problems: string[] = [];
  const started = performance.now();
  await acceptEach({ accept }, () => void accepted++, { onPause: (problem) => void problems.push(problem) });
  return { accepted, problems, took: performance.now() - started };
}

Deno.test("a peer that resets before it is accepted causes no pause and no line", async () => {
  const { accepted, problems, took } = await run([RESET, CONN, RESET, RESET, CONN]);
  assertEquals([accepted, problems], [2, []]);
  assertLess(took, 1000);
});

Deno.test("after a lack of resources the loop pauses and continues", async () => {
  const { accepted, problems, took } = await run([FULL, FULL, FULL, CONN]);
  assertEquals([accepted, problems], [1, [FULL.message]]);
  assertGreater(took, 20 + 40 + 80 - 5, "pauses double");
});

Deno.test("accepts and failures in turn are one outage with one line", async () => {
  const { accepted, problems } = await run([FULL, CONN, FULL, CONN, FULL, CONN, FULL, CONN]);
  assertEquals([accepted, problems], [4, [FULL.message]]);
});

Deno.test("hundreds of waiting connections do not delay the open ones", async () => {
  let accepted = 0;
  let atFirstTurn = Infinity;
  setTimeout(() => atFirstTurn = accepted, 0);
  const listener = {
    accept: () =>
      accepted++ < 500 ? Promise.resolve(accepted) : Promise.reject(new Deno.errors.BadResource("closed")),
  };
  await acceptEach(listener, () => {});
  assertEquals(accepted, 501, "all are accepted");
  assertLessOrEqual(atFirstTurn, 48);
});
