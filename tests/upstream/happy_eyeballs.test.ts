import { connectToFirst } from "../../lib/upstream/happy_eyeballs.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";

/** Never connects, and fails when it is cancelled. */
function unanswered(signal: AbortSignal): Promise<Deno.TcpConn> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("cancelled"))));
}

/** A stand-in for a connection. */
function stand() {
  let closed = false;
  const conn = { close: () => void (closed = true) } as Deno.TcpConn;
  return { conn, isClosed: () => closed };
}

Deno.test("the first address that answers wins, and the others are cancelled", async () => {
  const { conn, isClosed } = stand();
  const signals: AbortSignal[] = [];
  const won = await connectToFirst(["a", "b", "c"], (address, signal) => {
    signals.push(signal);
    return address === "b" ? Promise.resolve(conn) : unanswered(signal);
  }, new AbortController().signal);
  assert(won === conn && !isClosed());
  assertEquals(signals.map(({ aborted }) => aborted), [true, true]);
});

Deno.test("a connection that is established after the winner is closed", async () => {
  const [winner, loser] = [stand(), stand()];
  const second = Promise.withResolvers<Deno.TcpConn>();
  const first = connectToFirst(["a", "b"], async (address) => {
    if (address === "b") return winner.conn;
    return await second.promise;
  }, new AbortController().signal);
  assert(await first === winner.conn);
  second.resolve(loser.conn);
  await second.promise;
  await Promise.resolve();
  assertEquals([winner.isClosed(), loser.isClosed()], [false, true]);
});

Deno.test("after an abort it fails and tries no further address", async () => {
  const tried: string[] = [];
  const canceller = new AbortController();
  const connecting = connectToFirst(["a", "b", "c"], (address, signal) => {
    tried.push(address);
    return unanswered(signal);
  }, canceller.signal);
  canceller.abort();
  await assertRejects(() => connecting, Error, "cancelled");
  assertEquals(tried, ["a"]);
});

Deno.test("if all fail, the first failure is reported", async () => {
  const refused = (address: string) => Promise.reject(new Error(address));
  await assertRejects(() => connectToFirst(["a", "b"], refused, new AbortController().signal), Error, "a");
});
