/** Connecting to whichever address of a name answers first (Happy Eyeballs, RFC 8305, section 5). */

import { sleep } from "../util/async.ts";
import { connectCanceller } from "./cancel.ts";

/** How long an address may leave a connect unanswered before the next is tried beside it ("Connection Attempt Delay"). */
const ATTEMPT_DELAY_MS = 250;

/** A connect to one address, cancelled by its signal. */
export type ConnectTo = (address: string, signal: AbortSignal) => Promise<Deno.TcpConn>;

/**
 * Tries each address in turn, the next as soon as one fails or has not answered for a while. The first connection
 * wins, and the other attempts are cancelled. Once `signal` is aborted all are, and no further address is tried.
 *
 * @throws the error of the first address, if all fail
 */
export async function connectToFirst(
  addresses: readonly string[],
  connectTo: ConnectTo,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  const attempts: Promise<Deno.TcpConn>[] = [];
  const losers = connectCanceller();
  const cancel = () => losers.abort();
  signal.addEventListener("abort", cancel);
  let won = false;
  const attempt = async (address: string, settled: AbortController) => {
    try {
      const conn = await connectTo(address, losers.signal);
      if (won) conn.close();
      won = true;
      return conn;
    } finally {
      settled.abort();
    }
  };
  try {
    for (const address of addresses) {
      if (won || signal.aborted) break;
      const settled = new AbortController();
      attempts.push(attempt(address, settled));
      // one that fails while others are being tried is reported below
      attempts.at(-1)?.catch(() => {});
      await sleep(ATTEMPT_DELAY_MS, AbortSignal.any([settled.signal, signal]));
    }
    return await Promise.any(attempts);
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}
