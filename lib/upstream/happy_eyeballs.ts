/** Connects to the first address of a name that answers (Happy Eyeballs, RFC 8305, section 5). */

import { sleep } from "../util/async.ts";
import { connectCanceller } from "./cancel.ts";

/** Time without an answer after which the next address is tried in parallel ("Connection Attempt Delay"). */
const ATTEMPT_DELAY_MS = 250;

/** A connect to one address, cancelled by its signal. */
export type ConnectTo = (address: string, signal: AbortSignal) => Promise<Deno.TcpConn>;

/**
 * Tries the addresses in order, the next one when an attempt fails or has not answered for a while. The first
 * connection wins, and the other attempts are cancelled. Aborting `signal` cancels all, and no further address is tried.
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
      // if all fail, the first error is reported below
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
